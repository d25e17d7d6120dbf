import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createShelf } from '../../../static/js/lib/lru-cache.js';

test('what has not been used for longest goes first', () => {
  const gone = [];
  const shelf = createShelf(3, (thing) => gone.push(thing));
  for (const key of ['a', 'b', 'c']) shelf.put(key, key.toUpperCase());
  assert.equal(shelf.use('a'), 'A');
  shelf.put('d', 'D');
  assert.deepEqual(gone, ['B']);
  assert.ok(shelf.has('a') && !shelf.has('b') && shelf.has('c') && shelf.has('d'));
  assert.equal(shelf.use('b'), undefined);
});

test('looking whether a thing is there does not make it younger', () => {
  const shelf = createShelf(2);
  shelf.put('a', 1);
  shelf.put('b', 2);
  shelf.has('a');
  shelf.put('c', 3);
  assert.ok(!shelf.has('a'));
});

test('a thing in the place of another, and an emptied shelf, leave nothing behind', () => {
  const gone = [];
  const shelf = createShelf(2, (thing) => gone.push(thing));
  shelf.put('a', 1);
  shelf.put('a', 2);
  assert.equal(shelf.size, 1);
  shelf.clear();
  assert.deepEqual(gone, [1, 2]);
  assert.equal(shelf.size, 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLruCache } from '../../../static/js/lib/lru-cache.js';

test('the least recently used value goes first', () => {
  const gone = [];
  const cache = createLruCache(3, (value) => gone.push(value));
  for (const key of ['a', 'b', 'c']) cache.set(key, key.toUpperCase());
  assert.equal(cache.get('a'), 'A');
  cache.set('d', 'D');
  assert.deepEqual(gone, ['B']);
  assert.ok(cache.has('a') && !cache.has('b') && cache.has('c') && cache.has('d'));
  assert.equal(cache.get('b'), undefined);
});

test('asking whether a value is there does not count as use', () => {
  const cache = createLruCache(2);
  cache.set('a', 1);
  cache.set('b', 2);
  cache.has('a');
  cache.set('c', 3);
  assert.ok(!cache.has('a'));
});

test('a replaced value and those of a cleared cache are discarded', () => {
  const gone = [];
  const cache = createLruCache(2, (value) => gone.push(value));
  cache.set('a', 1);
  cache.set('a', 2);
  assert.equal(cache.size, 1);
  cache.clear();
  assert.deepEqual(gone, [1, 2]);
  assert.equal(cache.size, 0);
});

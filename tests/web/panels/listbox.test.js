import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTypeAhead, inNextColumn } from '../../../static/js/panels/listbox.js';

/** Two columns of three, the second lower by half an entry, and a third of one. */
const PLACES = [
  { column: 0, middle: 0 }, { column: 0, middle: 40 }, { column: 0, middle: 80 },
  { column: 300, middle: 20 }, { column: 300, middle: 58 }, { column: 300, middle: 100 },
  { column: 600, middle: 0 },
];

test('sideways leads to the nearest option of the next column', () => {
  assert.equal(inNextColumn(PLACES, 2, 1), 5);
  assert.equal(inNextColumn(PLACES, 1, 1), 4);
  assert.equal(inNextColumn(PLACES, 5, -1), 2);
  assert.equal(inNextColumn(PLACES, 5, 1), 6, 'the only one, however far up');
});

test('at the edge the option stays', () => {
  assert.equal(inNextColumn(PLACES, 1, -1), 1);
  assert.equal(inNextColumn(PLACES, 6, 1), 6);
});

const TITLES = ['Plain autoencoder', 'Sparse autoencoder', 'Stacked denoising', 'The best two'];

test('a letter finds the next title with a matching word, and wraps around', () => {
  const typed = createTypeAhead(() => 0);
  assert.equal(typed.find('s', TITLES, 0), 1);
  const later = createTypeAhead(() => 0);
  assert.equal(later.find('s', TITLES, 2), 1);
  assert.equal(createTypeAhead(() => 0).find('a', TITLES, 0), 1, 'any word of it');
});

test('letters typed quickly make a word, and a pause starts a new one', () => {
  let time = 0;
  const typed = createTypeAhead(() => time);
  assert.equal(typed.find('s', TITLES, 0), 1);
  assert.equal(typed.find('t', TITLES, 1), 2);
  assert.ok(typed.isOngoing());
  time += 5000;
  assert.ok(!typed.isOngoing());
  assert.equal(typed.find('t', TITLES, 2), 3);
});

test('letters that match no title leave the option as it is', () => {
  assert.equal(createTypeAhead(() => 0).find('x', TITLES, 2), 2);
});

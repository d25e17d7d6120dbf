import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestImage, sameCoordinates, sameImage } from '../../../static/js/compare/correspondence.js';
import { LEFT, RIGHT, codesOf } from './two-models.js';

test('the nearest image is searched in all dimensions, not in the plane', () => {
  const deep = { codes: codesOf([[0, 0, 5], [1, 0, 0]]) };
  assert.equal(nearestImage(deep, [0.2, 0, 4]), 0);
  assert.equal(nearestImage(deep, [0.2, 0, 0]), 1);
  assert.deepEqual(sameImage(deep, RIGHT, [0.2, 0, 0]), [-5, 3]);
  assert.equal(sameImage({ codes: codesOf([[0], [0], [0], [9]]) }, RIGHT, [9]), null, 'the other has only three');
});

test('by coordinates, what the other plane does not show keeps its value', () => {
  const deep = { plane: { origin: [0, 0, 0], axes: [[1, 0, 0], [0, 1, 0]], extent: [[-4, -4], [4, 4]] } };
  assert.deepEqual(sameCoordinates(LEFT, deep, [1, 2], [0, 0, 7]), [1, 2, 7]);
});

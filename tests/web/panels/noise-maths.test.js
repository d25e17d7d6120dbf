import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distanceOf, inRows, withNoise } from '../../../static/js/panels/noise-maths.js';

test('noise is added to every pixel and clipped to 0..1', () => {
  const noisy = withNoise([0.5, 0.9, 0.1, 0], 0.5, Float64Array.of(0.2, 1, -1, 0.4));
  [0.6, 1, 0, 0.2].forEach((wanted, i) => assert.ok(Math.abs(noisy[i] - wanted) < 1e-12));
});

test('no noise leaves an image as it is', () => {
  const image = Array.from({ length: 784 }, (_, i) => (i % 256) / 255);
  assert.deepEqual(withNoise(image, 0), image);
});

test('the distance is the root mean square', () => {
  assert.equal(distanceOf([0, 0, 0, 0], [1, 1, 1, 1]), 1);
  assert.equal(distanceOf([0, 0, 0, 0], [1, 0, 0, 0]), 0.5);
  assert.ok(Math.abs(distanceOf([0.3, 0], [0, 0.4]) - Math.sqrt(0.125)) < 1e-12);
});

test('an image of 784 numbers is 28 rows of 28', () => {
  const rows = inRows(Array.from({ length: 784 }, (_, i) => i), { height: 28, width: 28, channels: 1 });
  assert.equal(rows.length, 28);
  assert.deepEqual(rows.map((row) => row.length), Array(28).fill(28));
  assert.equal(rows[3][5], 3 * 28 + 5);
});

test('an image in colour is rows of pixels of three numbers', () => {
  const rows = inRows([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], { height: 2, width: 2, channels: 3 });
  assert.deepEqual(rows, [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]);
});

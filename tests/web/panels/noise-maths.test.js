import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distanceOf, inRows, normalNoise, withNoise } from '../../../static/js/panels/noise-maths.js';

const MANY = 40_000;
const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

test('the noise is normal: its moments and tails are those of N(0, 1)', () => {
  const noise = [...normalNoise(MANY)];
  // Five standard errors each: 1, sqrt 2, sqrt 6, sqrt 24, sqrt(p (1 - p)) over the root of the count.
  const error = 5 / Math.sqrt(MANY);
  assert.ok(Math.abs(mean(noise)) < error);
  assert.ok(Math.abs(mean(noise.map((x) => x ** 2)) - 1) < Math.SQRT2 * error);
  assert.ok(Math.abs(mean(noise.map((x) => x ** 3))) < Math.sqrt(15) * error);
  assert.ok(Math.abs(mean(noise.map((x) => x ** 4)) - 3) < Math.sqrt(96) * error);
  assert.ok(Math.abs(mean(noise.map((x) => Number(Math.abs(x) < 1.96))) - 0.95) < 0.218 * error);
});

test('the noise of neighbouring pixels is uncorrelated', () => {
  const noise = [...normalNoise(MANY)];
  for (const apart of [1, 2, 28]) {
    const product = mean(noise.slice(apart).map((x, i) => x * noise[i]));
    assert.ok(Math.abs(product) < 5 / Math.sqrt(MANY - apart), `${apart} apart: ${product}`);
  }
});

test('the noise depends on the seed alone', () => {
  assert.deepEqual(normalNoise(9), normalNoise(9));
  assert.notDeepEqual(normalNoise(9), normalNoise(9, 7));
});

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
  const rows = inRows(Array.from({ length: 784 }, (_, i) => i));
  assert.equal(rows.length, 28);
  assert.deepEqual(rows.map((row) => row.length), Array(28).fill(28));
  assert.equal(rows[3][5], 3 * 28 + 5);
});

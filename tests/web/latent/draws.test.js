import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawFitted, drawStandard, fittedGaussian } from '../../../static/js/latent/draws.js';

const codesOf = (rows) =>
  ({ count: rows.length, dim: rows[0].length, values: new Float32Array(rows.flat()), labels: new Uint8Array(rows.length) });
const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const covariance = (rows, i, j) => {
  const [a, b] = [i, j].map((axis) => mean(rows.map((row) => row[axis])));
  return mean(rows.map((row) => (row[i] - a) * (row[j] - b)));
};

test('the factor times its transpose is the covariance of the codes', () => {
  const rows = drawStandard(3, 500, 9).map(([a, b, c]) => [2 * a + 5, b - a, c + 0.5 * b]);
  const { mean: centre, lower } = fittedGaussian(codesOf(rows));
  for (const i of [0, 1, 2]) {
    assert.ok(Math.abs(centre[i] - mean(rows.map((row) => row[i]))) < 1e-4);
    for (const j of [0, 1, 2]) {
      const product = [0, 1, 2].reduce((sum, k) => sum + (lower[i][k] ?? 0) * (lower[j][k] ?? 0), 0);
      assert.ok(Math.abs(product - covariance(rows, i, j)) < 1e-4, `${i}, ${j}`);
    }
  }
});

test('draws from a fitted Gaussian have the mean and the spread of the codes', () => {
  const rows = drawStandard(2, 4000, 5).map(([a, b]) => [3 + 2 * a, -1 + a + 0.5 * b]);
  const draws = drawFitted(codesOf(rows), 4000, 6);
  assert.ok(Math.abs(mean(draws.map(([u]) => u)) - 3) < 0.2);
  assert.ok(Math.abs(covariance(draws, 0, 1) - covariance(rows, 0, 1)) < 0.25);
});

test('codes in one place give draws in that place, and a seed gives its own draws', () => {
  assert.deepEqual(drawFitted(codesOf([[2, 1], [2, 1]]), 2, 4), [[2, 1], [2, 1]]);
  assert.deepEqual(drawStandard(2, 3, 4), drawStandard(2, 3, 4));
  assert.notDeepEqual(drawStandard(2, 3, 4), drawStandard(2, 3, 5));
});

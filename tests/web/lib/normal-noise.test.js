import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalNoise } from '../../../static/js/lib/normal-noise.js';

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

test('the first numbers of small seeds are normal too', () => {
  const firsts = Array.from({ length: 2000 }, (_, i) => normalNoise(1, i + 1)[0]);
  assert.ok(Math.abs(mean(firsts)) < 5 / Math.sqrt(2000));
  assert.ok(Math.abs(mean(firsts.map((x) => x ** 2)) - 1) < (5 * Math.SQRT2) / Math.sqrt(2000));
});

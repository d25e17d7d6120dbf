import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitted, latentAtPlace, nearestRows, placeOfLatent } from '../../../static/js/latent/projection.js';

const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-5, `${actual} is not ${expected}`);

/** Nine places on a grid, whose codes are these places in three dimensions, twice as far apart. */
const PLACES = Float32Array.from([0.1, 0.5, 0.9].flatMap((x) => [0.1, 0.5, 0.9].flatMap((y) => [x, y])));
const CODES = {
  count: 9,
  dim: 3,
  values: Float32Array.from({ length: 27 }, (_, i) => (i % 3 < 2 ? 2 * PLACES[2 * Math.floor(i / 3) + (i % 3)] : 7)),
  labels: new Uint8Array(9),
};

test('places are fitted into the picture with their proportions, and up is up', () => {
  const places = fitted(Float32Array.from([-10, 0, 10, 0, 0, 5]));
  near(places[0], 0.03);
  near(places[2], 0.97);
  near(places[4], 0.5);
  assert.ok(places[5] < places[1], 'the third lies above the first');
  near(places[1] - places[5], 0.94 / 4);
});

test('codes that all coincide are in the middle', () => {
  assert.deepEqual([...fitted(Float32Array.from([3, 4, 3, 4]))], [0.5, 0.5, 0.5, 0.5]);
});

test('the nearest rows are those of a search through all', () => {
  const rows = Float32Array.from({ length: 300 }, (_, i) => Math.sin(i * i));
  const point = [0.2, -0.1, 0.4];
  const squared = Array.from({ length: 100 }, (_, n) =>
    point.reduce((sum, z, i) => sum + (rows[3 * n + i] - z) ** 2, 0));
  const expected = [...squared.keys()].sort((a, b) => squared[a] - squared[b]).slice(0, 8);
  assert.deepEqual(nearestRows(rows, point).map(({ index }) => index), expected);
});

test('fewer rows than are asked for are all found', () => {
  assert.equal(nearestRows(Float32Array.from([1, 2, 3, 4]), [0, 0]).length, 2);
});

test('a place on a code, or all but on it, is that code', () => {
  for (const away of [0, 0.005]) {
    latentAtPlace(PLACES, CODES, [0.5 + away, 0.1]).forEach((z, i) => near(z, [1, 0.2, 7][i]));
  }
});

test('a place between codes is their mean, the nearer weighing more', () => {
  const middle = latentAtPlace(PLACES, CODES, [0.7, 0.5]);
  near(middle[2], 7);
  assert.ok(middle[0] > 1 && middle[0] < 1.8);
  const nearer = latentAtPlace(PLACES, CODES, [0.8, 0.5]);
  assert.ok(nearer[0] > middle[0]);
});

test('a code has its own place, and a latent between codes one between theirs', () => {
  const [x, y] = placeOfLatent(PLACES, CODES, [1.8, 0.2, 7]);
  near(x, 0.9);
  near(y, 0.1);
  const [between, level] = placeOfLatent(PLACES, CODES, [1.4, 1, 7]);
  assert.ok(between > 0.5 && between < 0.9);
  assert.ok(Math.abs(level - 0.5) < 0.05);
});

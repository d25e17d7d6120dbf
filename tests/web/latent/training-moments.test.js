import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochOf, feetOf, imageAt, indexOfEpoch, nearestMoment, timeAt } from '../../../static/js/latent/training-moments.js';

const SHAPE = { height: 28, width: 28, channels: 1 };

/** @type {(epoch: number, feet?: number[]) => import('../../../static/js/latent/training-moments.js').Moment} */
const moment = (epoch, feet = [0, 0]) => ({
  epoch,
  extent: { u0: -4, v0: -4, u1: 4, v1: 4 },
  feet: Float32Array.from(feet),
  cells: 2,
  image: SHAPE,
  levels: Uint8Array.from({ length: 56 * 56 }, (_, i) => 2 * Number(i % 56 >= 28) + Number(i >= 28 * 56)),
});
const MOMENTS = [moment(0, [0, 0]), moment(1, [2, -4]), moment(5, [4, 0])];

test('a time lies between two moments, and is clamped to the first and the last', () => {
  assert.deepEqual(timeAt(MOMENTS, 0.25), { from: MOMENTS[0], to: MOMENTS[1], part: 0.25 });
  assert.equal(epochOf(timeAt(MOMENTS, 1.5)), 3);
  for (const [at, epoch] of [[-1, 0], [0, 0], [2, 5], [9, 5]]) assert.equal(epochOf(timeAt(MOMENTS, at)), epoch);
  assert.equal(epochOf(timeAt([MOMENTS[1]], 0.7)), 1, 'of a single moment there is no way to another');
});

test('codes move linearly from one moment to the next', () => {
  assert.deepEqual([...feetOf(timeAt(MOMENTS, 0.5))], [1, -2]);
  assert.deepEqual([...feetOf(timeAt(MOMENTS, 2))], [4, 0]);
});

test('the image of a place is that of its cell in the nearer moment', () => {
  assert.equal(nearestMoment(timeAt(MOMENTS, 1.4)), MOMENTS[1]);
  assert.equal(nearestMoment(timeAt(MOMENTS, 1.6)), MOMENTS[2]);
  for (const [u, v, level] of [[-1, 1, 0], [1, 1, 2], [-1, -1, 1], [1, -1, 3], [99, -99, 3], [-99, 99, 0]]) {
    const pixels = imageAt(MOMENTS[0], { u, v });
    assert.equal(pixels.length, 784);
    assert.ok(pixels.every((pixel) => pixel === level), `${u}, ${v}`);
  }
});

test('the image of a place keeps the numbers of a pixel together, and its proportions', () => {
  const image = { height: 2, width: 3, channels: 3 };
  const levels = Uint8Array.from({ length: 2 * 2 * 2 * 3 * 3 }, (_, i) => i);
  const pixels = imageAt({ ...moment(0), image, levels }, { u: 1, v: -1 });
  assert.deepEqual([...pixels], [45, 46, 47, 48, 49, 50, 51, 52, 53, 63, 64, 65, 66, 67, 68, 69, 70, 71]);
});

test('an epoch is a time between its neighbouring moments', () => {
  assert.deepEqual([0, 1, 3, 5, 8].map((epoch) => indexOfEpoch(MOMENTS, epoch)), [0, 1, 1.5, 2, 2]);
});

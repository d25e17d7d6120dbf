import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEIGHBOURS, createNearest, ranked } from '../../../static/js/latent/nearest.js';

/** Numbers that look random and are always the same (a linear congruence). */
function* numbers(seed = 1) {
  for (;;) yield (seed = (seed * 48271) % 2147483647) / 2147483647;
}

function someCodes(count, dim, seed) {
  const next = numbers(seed);
  return {
    count,
    dim,
    values: Float32Array.from({ length: count * dim }, () => 6 * next.next().value - 3),
    labels: Uint8Array.from({ length: count }, () => Math.floor(10 * next.next().value)),
  };
}

/** Every distance, sorted: slow and obvious. */
function slowly({ count, dim, values, labels }, latent, k) {
  const all = Array.from({ length: count }, (_, index) => ({
    index,
    label: labels[index],
    distance: Math.hypot(...latent.map((z, j) => values[index * dim + j] - z)),
  }));
  all.sort((a, b) => a.distance - b.distance);
  const share = Array(10).fill(0);
  for (const { label } of all.slice(0, k)) share[label] += 1 / Math.min(k, count);
  return { share, index: all[0].index, distance: all[0].distance, reach: all[Math.min(k, count) - 1].distance };
}

for (const dim of [2, 20]) {
  test(`the ${NEIGHBOURS} nearest of 700 codes in ${dim} dimensions are those of a sorted list`, () => {
    const codes = someCodes(700, dim, 7 + dim);
    const nearest = createNearest(codes);
    const next = numbers(99);
    for (let round = 0; round < 25; round++) {
      const latent = Array.from({ length: dim }, () => 8 * next.next().value - 4);
      const found = nearest(latent);
      const expected = slowly(codes, latent, NEIGHBOURS);
      assert.equal(found.index, expected.index);
      assert.ok(Math.abs(found.distance - expected.distance) < 1e-6);
      assert.ok(Math.abs(found.reach - expected.reach) < 1e-6);
      expected.share.forEach((share, label) => assert.ok(Math.abs(found.share[label] - share) < 1e-9));
    }
  });
}

test('fewer codes than neighbours are all counted', () => {
  const codes = { count: 3, dim: 1, values: new Float32Array([0, 1, 2]), labels: new Uint8Array([4, 4, 9]) };
  const { share } = createNearest(codes)([0]);
  assert.ok(Math.abs(share[4] - 2 / 3) < 1e-12);
  assert.ok(Math.abs(share[9] - 1 / 3) < 1e-12);
});

test('without codes nothing is near', () => {
  const none = { count: 0, dim: 2, values: new Float32Array(), labels: new Uint8Array() };
  const { index, distance } = createNearest(none)([0, 0]);
  assert.equal(index, -1);
  assert.equal(distance, Infinity);
});

test('labels are ranked by their share, and those without one are left out', () => {
  assert.deepEqual(ranked([0.1, 0, 0.6, 0.2, 0, 0, 0, 0, 0, 0.1]), [2, 3, 0, 9]);
});

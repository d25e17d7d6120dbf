import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contourOf, levelsUpTo } from '../../../static/js/map/contour-lines.js';

/** Distances from the middle of a grid. */
const SIDE = 41;
const CONE = Array.from({ length: SIDE }, (_, y) =>
  Array.from({ length: SIDE }, (_, x) => Math.hypot(x - 20, y - 20)));

test('the contours of a cone are circles', () => {
  for (const radius of [3, 7.5, 15]) {
    const segments = contourOf(CONE, radius);
    for (const [x0, y0, x1, y1] of segments) {
      for (const [x, y] of [[x0, y0], [x1, y1]]) assert.ok(Math.abs(Math.hypot(x - 20.5, y - 20.5) - radius) < 0.12);
    }
    const length = segments.reduce((sum, [x0, y0, x1, y1]) => sum + Math.hypot(x1 - x0, y1 - y0), 0);
    assert.ok(Math.abs(length / (2 * Math.PI * radius) - 1) < 0.03, `${length}`);
  }
});

test('a contour ends only at the edge of the grid', () => {
  const ends = new Map();
  for (const [x0, y0, x1, y1] of contourOf(CONE, 23)) {
    for (const end of [`${x0.toFixed(6)},${y0.toFixed(6)}`, `${x1.toFixed(6)},${y1.toFixed(6)}`]) ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  const loose = [...ends].filter(([, count]) => count === 1).map(([end]) => end.split(',').map(Number));
  assert.equal(loose.length, 8, 'four corners, cut off');
  for (const place of loose) assert.ok(place.some((at) => at === 0.5 || at === SIDE - 0.5), `${place}`);
});

test('where two high corners face each other the lines do not cross', () => {
  assert.equal(contourOf([[1, 0], [0, 1]], 0.5).length, 2);
  assert.equal(contourOf([[0, 1], [1, 0]], 0.5).length, 2);
  assert.deepEqual(contourOf([[0, 0], [0, 0]], 0.5), []);
});

test('levels are round and end below the greatest', () => {
  assert.deepEqual(levelsUpTo(31, 6), [5, 10, 15, 20, 25, 30]);
  assert.deepEqual(levelsUpTo(0.9, 4), [0.2, 0.4, 0.6000000000000001, 0.8]);
});

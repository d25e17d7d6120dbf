import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tourAt, roundTrip } from '../../static/js/map/idle-tour.js';
import { createPercentiles } from '../../static/js/lib/percentiles.js';
import { trace } from '../../static/js/panels/draw-strokes.js';

const SQUARE = [{ u: 1, v: 1 }, { u: -1, v: -1 }, { u: 1, v: -1 }, { u: -1, v: 1 }];

test('a round trip goes around the middle and visits every place once', () => {
  const places = roundTrip(SQUARE);
  assert.equal(new Set(places).size, 4);
  for (let i = 0; i < 4; i++) {
    const [a, b] = [places[i], places[(i + 1) % 4]];
    assert.equal(Math.hypot(a.u - b.u, a.v - b.v), 2, 'along an edge, never across');
  }
});

test('the tourAt starts at its first place, passes the others and closes without a jump', () => {
  const places = roundTrip(SQUARE);
  assert.deepEqual(tourAt(places, 0), places[0]);
  const passed = places.map(() => Infinity);
  let before = tourAt(places, 0);
  for (let time = 0; time <= 60_000; time += 10) {
    const here = tourAt(places, time);
    assert.ok(Math.hypot(here.u - before.u, here.v - before.v) < 0.01, `a jump at ${time} ms`);
    before = here;
    places.forEach(({ u, v }, i) => {
      passed[i] = Math.min(passed[i], Math.hypot(here.u - u, here.v - v));
    });
  }
  assert.ok(passed.every((distance) => distance < 0.01));
});

test('percentiles are those of the latest measurements, by the nearest rank', () => {
  const latency = createPercentiles(100);
  assert.ok(Number.isNaN(latency.quantile(0.5)));
  for (let i = 1; i <= 1000; i++) latency.add(i);
  assert.equal(latency.count(), 100);
  assert.equal(latency.quantile(0.5), 950);
  assert.equal(latency.quantile(0.95), 995);
  assert.equal(latency.quantile(0), 901);
  assert.equal(latency.quantile(1), 1000);
});

function drawn(stroke) {
  const calls = [];
  const pen = Object.fromEntries(
    ['moveTo', 'lineTo', 'quadraticCurveTo'].map((name) => [name, (...at) => calls.push([name, ...at])]),
  );
  trace(pen, stroke, 100);
  return calls;
}

test('a touch without a move draws a dot', () => {
  assert.deepEqual(drawn([0.5, 0.25]), [['moveTo', 50, 25], ['lineTo', 50, 25]]);
});

test('a straight stroke of two points is a line', () => {
  assert.deepEqual(drawn([0, 0, 1, 1]), [['moveTo', 0, 0], ['lineTo', 100, 100]]);
});

test('a stroke of more points is a curve through their midpoints, from the first to the last', () => {
  assert.deepEqual(drawn([0, 0, 0.5, 0, 0.5, 0.5, 1, 1]), [
    ['moveTo', 0, 0],
    ['quadraticCurveTo', 50, 0, 50, 25],
    ['quadraticCurveTo', 50, 50, 75, 75],
    ['lineTo', 100, 100],
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roundTrip, tourAt } from '../../../static/js/map/idle-tour.js';

const SQUARE = [{ u: 1, v: 1 }, { u: -1, v: -1 }, { u: 1, v: -1 }, { u: -1, v: 1 }];

test('a round trip goes around the middle and visits every place once', () => {
  const places = roundTrip(SQUARE);
  assert.equal(new Set(places).size, 4);
  for (let i = 0; i < 4; i++) {
    const [a, b] = [places[i], places[(i + 1) % 4]];
    assert.equal(Math.hypot(a.u - b.u, a.v - b.v), 2, 'along an edge, never across');
  }
});

test('the tour starts at its first place, passes the others and closes without a jump', () => {
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

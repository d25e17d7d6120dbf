import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outside, placeLabels, placesAround } from '../../../static/js/map/label-layout.js';

test('a point under a panel moves to its nearest edge', () => {
  const sheet = { left: 100, top: 100, right: 300, bottom: 200 };
  assert.deepEqual(outside({ x: 110, y: 150 }, [sheet]), { x: 100, y: 150 });
  assert.deepEqual(outside({ x: 290, y: 150 }, [sheet]), { x: 300, y: 150 });
  assert.deepEqual(outside({ x: 200, y: 105 }, [sheet]), { x: 200, y: 100 });
  assert.deepEqual(outside({ x: 200, y: 190 }, [sheet]), { x: 200, y: 200 });
  assert.deepEqual(outside({ x: 50, y: 150 }, [sheet]), { x: 50, y: 150 });
});

const WINDOW = { left: 0, top: 0, right: 200, bottom: 100 };
const SIZE = { width: 20, height: 10 };
const at = (x, y) => ({ ...SIZE, places: placesAround({ x, y }, SIZE.width, SIZE.height) });
const middle = (rect) => rect && { x: (rect.left + rect.right) / 2, y: (rect.top + rect.bottom) / 2 };
const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;

test('a label with room stays at its place, and one that would lie on it moves', () => {
  const [first, second, far] = placeLabels([at(50, 50), at(54, 52), at(150, 50)], [], WINDOW);
  assert.deepEqual(middle(first), { x: 50, y: 50 });
  assert.deepEqual(middle(far), { x: 150, y: 50 });
  assert.ok(apart(first, second));
});

test('a label keeps off obstacles and inside the window', () => {
  const ring = { left: 30, top: 0, right: 70, bottom: 60 };
  const [beside, edge] = placeLabels([at(66, 50), at(199, 99)], [ring], WINDOW);
  assert.ok(apart(beside, ring));
  assert.ok(edge.right <= 200 && edge.bottom <= 100);
});

test('a label that finds no room is left out', () => {
  const [none] = placeLabels([at(100, 50)], [WINDOW], WINDOW);
  assert.equal(none, null);
});

test('of the places around a place the nearest come first', () => {
  const places = placesAround({ x: 5, y: 5 }, 10, 10);
  const distances = places.map(({ x, y }) => Math.hypot(x - 5, y - 5));
  assert.equal(distances[0], 0);
  assert.deepEqual(distances, [...distances].sort((a, b) => a - b));
});

test('a label looks for no place that is nearer to what another names', () => {
  const [three, zero] = [{ x: 100, y: 100 }, { x: 150, y: 100 }];
  const places = placesAround(three, 20, 20, [three, zero]);
  assert.deepEqual(places[0], three);
  assert.ok(places.length > 40, 'there are others');
  assert.ok(places.every(({ x }) => x <= 125));
});

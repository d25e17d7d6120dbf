import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  apart,
  boxOf,
  cellCentre,
  clamp,
  fit,
  gridOver,
  including,
  outside,
  planeU,
  planeV,
  roundLength,
  screenX,
  screenY,
} from '../../static/js/camera.js';

const BOX = { u0: -3, v0: -2, u1: 5, v1: 4 };
const CLEAR = { left: 40, top: 20, right: 840, bottom: 920 };

const near = (actual, expected, message) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${message ?? ''} ${actual} is not ${expected}`);

test('a place of the plane comes back from the screen as it went', () => {
  const camera = fit(BOX, CLEAR);
  for (const [u, v] of [[0, 0], [-3, 4], [1.25, -0.7], [123.4, -567.8]]) {
    near(planeU(camera, screenX(camera, u)), u);
    near(planeV(camera, screenY(camera, v)), v);
  }
});

test('a fitted box lies whole, centred and as large as it can in the clear part of the screen', () => {
  const camera = fit(BOX, CLEAR);
  near(camera.scale, 100, 'the 8 units of width take all 800 pixels:');
  near(screenX(camera, -3), 40);
  near(screenX(camera, 5), 840);
  near(screenY(camera, 4) - 20, 920 - screenY(camera, -2), 'as much room above as below:');
});

test('v grows upwards: what is higher in the plane is higher on the screen', () => {
  const camera = fit(BOX, CLEAR);
  assert.ok(screenY(camera, 1) < screenY(camera, 0));
});

test('a panel that leaves no room still leaves a camera', () => {
  const camera = fit(BOX, { left: 100, top: 100, right: 50, bottom: 100 });
  assert.ok(camera.scale > 0 && Number.isFinite(camera.x) && Number.isFinite(camera.y));
});

test('the box of a rectangle is what the camera shows in it', () => {
  const camera = fit(BOX, CLEAR);
  const shown = boxOf(camera, CLEAR);
  near(shown.u0, -3);
  near(shown.u1, 5);
  near(shown.v1 - shown.v0, 9, '900 pixels at 100 a unit:');
});

test('a box grows no further than the point it must hold', () => {
  assert.deepEqual(including(BOX, { u: 7, v: 0 }), { ...BOX, u1: 7 });
  assert.deepEqual(including(BOX, { u: 0, v: 0 }), BOX);
});

test('a point outside a box is brought to its edge, one inside stays', () => {
  assert.deepEqual(clamp(BOX, { u: 9, v: -9 }), { u: 5, v: -2 });
  assert.deepEqual(clamp(BOX, { u: 1, v: 1 }), { u: 1, v: 1 });
});

test('a point under a sheet is brought to the nearest edge of the sheet', () => {
  const sheet = { left: 100, top: 100, right: 300, bottom: 200 };
  assert.deepEqual(outside({ x: 110, y: 150 }, [sheet]), { x: 100, y: 150 });
  assert.deepEqual(outside({ x: 290, y: 150 }, [sheet]), { x: 300, y: 150 });
  assert.deepEqual(outside({ x: 200, y: 105 }, [sheet]), { x: 200, y: 100 });
  assert.deepEqual(outside({ x: 200, y: 190 }, [sheet]), { x: 200, y: 200 });
  assert.deepEqual(outside({ x: 50, y: 150 }, [sheet]), { x: 50, y: 150 });
});

test('names that would overlap move apart, others stay', () => {
  const [a, b, far] = apart([{ x: 0, y: 0 }, { x: 4, y: 3 }, { x: 100, y: 0 }], 20);
  near(Math.hypot(a.x - b.x, a.y - b.y), 20);
  near((a.x + b.x) / 2, 2, 'their middle stays:');
  assert.deepEqual(far, { x: 100, y: 0 });
});

test('two names at the very same place are told apart too', () => {
  const [a, b] = apart([{ x: 5, y: 5 }, { x: 5, y: 5 }], 10);
  near(Math.hypot(a.x - b.x, a.y - b.y), 10);
});

test('the cells of a grid cover its box, and the box is not cut anywhere', () => {
  const grid = gridOver(BOX, 0.7, 10_000);
  assert.ok(grid.u0 <= BOX.u0 && grid.v1 >= BOX.v1);
  assert.ok(grid.u0 + grid.columns * grid.side >= BOX.u1);
  assert.ok(grid.v1 - grid.rows * grid.side <= BOX.v0);
});

test('the cells of a grid lie where they lay when the box moves', () => {
  const before = gridOver(BOX, 0.5, 10_000);
  const after = gridOver({ ...BOX, u0: -3.3, u1: 4.7 }, 0.5, 10_000);
  near((before.u0 / 0.5) % 1, 0);
  near((after.u0 / 0.5) % 1, 0);
});

test('a grid never has more cells than may be decoded', () => {
  const grid = gridOver(BOX, 0.01, 2048);
  assert.ok(grid.columns * grid.rows <= 2048);
  assert.ok(grid.columns * grid.rows > 1800, 'and not many fewer');
});

test('cells are counted row by row from the top left, by their centres', () => {
  const grid = { side: 2, columns: 3, rows: 2, u0: -3, v1: 2 };
  assert.deepEqual(cellCentre(grid, 0), { u: -2, v: 1 });
  assert.deepEqual(cellCentre(grid, 2), { u: 2, v: 1 });
  assert.deepEqual(cellCentre(grid, 3), { u: -2, v: -1 });
});

test('a round length is the largest 1, 2 or 5 of its power of ten that fits', () => {
  for (const [length, expected] of [[1, 1], [1.9, 1], [2, 2], [4.99, 2], [5, 5], [99, 50], [0.03, 0.02]]) {
    near(roundLength(length), expected, `of ${length}:`);
  }
});

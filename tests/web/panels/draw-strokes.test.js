import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trace } from '../../../static/js/panels/draw-strokes.js';

function drawn(stroke) {
  const calls = [];
  const pen = Object.fromEntries(
    ['moveTo', 'lineTo', 'quadraticCurveTo'].map((name) => [name, (...at) => calls.push([name, ...at])]),
  );
  trace(pen, stroke, 100);
  return calls;
}

test('a touch without a move is a line of some length, which a canvas paints as a dot', () => {
  assert.deepEqual(drawn([0.5, 0.25]), [['moveTo', 50, 25], ['lineTo', 50.01, 25]]);
  assert.deepEqual(drawn([0.5, 0.25, 0.5, 0.25]), [['moveTo', 50, 25], ['lineTo', 50.01, 25]]);
});

test('a straight stroke of two points is a line', () => {
  assert.deepEqual(drawn([0, 0, 1, 1]), [['moveTo', 0, 0], ['lineTo', 100.01, 100]]);
});

test('a stroke of more points is a curve through their midpoints, from the first to the last', () => {
  assert.deepEqual(drawn([0, 0, 0.5, 0, 0.5, 0.5, 1, 1]), [
    ['moveTo', 0, 0],
    ['quadraticCurveTo', 50, 0, 50, 25],
    ['quadraticCurveTo', 50, 50, 75, 75],
    ['lineTo', 100.01, 100],
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between, contains, describeBox, isWhole, LEAST, middleOf, moved, resized, WHOLE } from '../../../static/js/panels/draw-box.js';
import { near } from '../near.js';

const areNear = (actual, expected) => expected.forEach((share, i) => near(actual[i], share));
const BOX = [0.2, 0.3, 0.6, 0.8];

test('a box moves as far as the picture reaches, and keeps its size', () => {
  areNear(moved(BOX, 0.1, -0.1), [0.3, 0.2, 0.7, 0.7]);
  areNear(moved(BOX, -9, 9), [0, 0.5, 0.4, 1]);
  assert.deepEqual(moved(WHOLE, 0.3, 0.3), WHOLE);
});

test('a corner moves alone, within the picture, and not past the opposite one', () => {
  areNear(resized(BOX, 'nw', 0.1, 0.1), [0.3, 0.4, 0.6, 0.8]);
  areNear(resized(BOX, 'ne', 0.1, 0.1), [0.2, 0.4, 0.7, 0.8]);
  areNear(resized(BOX, 'sw', -0.1, 0.1), [0.1, 0.3, 0.6, 0.9]);
  areNear(resized(BOX, 'se', 9, 9), [0.2, 0.3, 1, 1]);
  areNear(resized(BOX, 'se', -9, -9), [0.2, 0.3, 0.2 + LEAST, 0.3 + LEAST]);
  areNear(resized(BOX, 'nw', 9, 9), [0.6 - LEAST, 0.8 - LEAST, 0.6, 0.8]);
});

test('a box is drawn between two places in any order, and ends where the picture does', () => {
  areNear(between([0.6, 0.8], [0.2, 0.3]), BOX);
  areNear(between([0.6, 0.3], [-0.5, 2]), [0, 0.3, 0.6, 1]);
  assert.equal(between([0.5, 0.5], [0.9, 0.5 + LEAST / 2]), null);
});

test('a box holds its edges and its middle', () => {
  assert.ok(contains(BOX, [0.2, 0.8]) && contains(BOX, middleOf(BOX)));
  assert.ok(!contains(BOX, [0.61, 0.5]) && !contains(BOX, [0.5, 0.29]));
});

test('a box is told in words', () => {
  assert.ok(isWhole(moved(WHOLE, 1, 1)));
  assert.equal(describeBox(WHOLE), 'The whole image is looked at.');
  assert.equal(describeBox(BOX), 'Box: 20 to 60 % of the width, 30 to 80 % of the height.');
});

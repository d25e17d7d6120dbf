import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clamp, including } from '../../../static/js/latent/box.js';

const BOX = { u0: -3, v0: -2, u1: 5, v1: 4 };

test('a box grows just enough to include a point', () => {
  assert.deepEqual(including(BOX, { u: 7, v: 0 }), { ...BOX, u1: 7 });
  assert.deepEqual(including(BOX, { u: 0, v: 0 }), BOX);
});

test('a point outside a box is clamped to its edge, one inside stays', () => {
  assert.deepEqual(clamp(BOX, { u: 9, v: -9 }), { u: 5, v: -2 });
  assert.deepEqual(clamp(BOX, { u: 1, v: 1 }), { u: 1, v: 1 });
});

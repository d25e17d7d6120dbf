import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCodeCounts } from '../../../static/js/latent/code-counts.js';

const VIEW = { u0: 0, v0: 0, u1: 64, v1: 64 };
const FEET = Float32Array.from([10.5, 10.5, 10.5, 40.5, 50.5, 50.5, 99, 99]);
const countIn = createCodeCounts({ feet: FEET, view: VIEW });

test('a box counts the codes in it and no others', () => {
  assert.equal(countIn(VIEW), 3, 'one lies out of view');
  assert.equal(countIn({ u0: 10, v0: 10, u1: 11, v1: 41 }), 2);
  assert.equal(countIn({ u0: 11, v0: 0, u1: 50, v1: 64 }), 0);
});

test('a box that touches a cell counts the whole of it, and one out of view counts nothing', () => {
  assert.equal(countIn({ u0: 10.9, v0: 10.9, u1: 12, v1: 12 }), 1);
  assert.equal(countIn({ u0: 70, v0: 70, u1: 90, v1: 90 }), 0);
  assert.equal(countIn({ u0: -9, v0: -9, u1: 200, v1: 200 }), 3);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapInWords } from '../../../static/js/latent/describe-map.js';

const plane = { origin: [0, 0, 1], axes: [[1, 0, 0], [0, 1, 0]] };
const codes = { count: 2, dim: 3, values: Float32Array.from([5, 5, 2, -1, 0, 4]) };

test('the map of two numbers names them', () => {
  assert.match(mapInWords({ card: { latent_dim: 2 }, plane, codes }), /z₁ to the right and z₂ up/);
});

test('a slice says how far off it the codes lie', () => {
  // They are 1 and 3 off the plane.
  assert.match(mapInWords({ card: { latent_dim: 3 }, plane, codes }), /through 3 numbers.*2\.0 off it/);
});

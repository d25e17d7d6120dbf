import assert from 'node:assert/strict';

/** Assert that two numbers differ by rounding at most. */
export const near = (actual, expected, message) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${message ?? ''} ${actual} is not ${expected}`);

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readingOf } from '../../static/js/api.js';

test('the range of a field is parsed from its header', () => {
  assert.deepEqual(readingOf('low=1e-05; high=0.42; unit=per squared unit; scale=log'), {
    low: 1e-5, high: 0.42, unit: 'per squared unit', scale: 'log',
  });
  assert.equal(readingOf(null).unit, '');
});

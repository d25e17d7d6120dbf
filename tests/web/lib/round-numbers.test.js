import { test } from 'node:test';
import { roundLength } from '../../../static/js/lib/round-numbers.js';
import { near } from '../near.js';

test('a round length is the largest 1, 2 or 5 of its power of ten that fits', () => {
  for (const [length, expected] of [[1, 1], [1.9, 1], [2, 2], [4.99, 2], [5, 5], [99, 50], [0.03, 0.02]]) {
    near(roundLength(length), expected, `of ${length}:`);
  }
});

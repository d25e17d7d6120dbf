import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  amountText,
  attributeOfLabel,
  describeDirection,
  labelIn,
  movedAlong,
  rangeAlong,
} from '../../../static/js/latent/direction.js';
import { near } from '../near.js';

const FACTOR = { id: 'slant', title: 'Slant', unit: '°', about: 'How far it leans.' };

test('an attribute is a label or a factor by its name', () => {
  assert.equal(labelIn(attributeOfLabel(12)), 12);
  assert.equal(labelIn('label-0'), 0);
  assert.equal(labelIn('stroke-width'), null);
  assert.equal(labelIn('label-'), null);
});

test('a latent moves by an amount along a direction, and back', () => {
  const moved = movedAlong([1, -2], [0.5, 0.25], 4);
  assert.deepEqual(moved, [3, -1]);
  assert.deepEqual(movedAlong(moved, [0.5, 0.25], -4), [1, -2]);
});

test('a slider reaches three standard deviations of a factor in round steps, and twice the way to a label', () => {
  for (const deviation of [13.3, 0.63, 0.0021, 4_000]) {
    const { most, step } = rangeAlong({ deviation });
    assert.ok(most >= 3 * deviation && most < 3 * deviation + step);
    near(most / step, Math.round(most / step));
    assert.ok(most / step >= 100 && most / step <= 500);
  }
  assert.deepEqual(rangeAlong({ deviation: null }), { most: 2, step: 0.02 });
});

test('a factor that is the same for all images has a slider that moves nothing far', () => {
  const { most, step } = rangeAlong({ deviation: 0 });
  assert.ok(most < 1e-4 && step > 0);
});

test('an amount has its sign, the decimals of the step, and its unit', () => {
  assert.equal(amountText(12, { most: 40, step: 0.2 }, '°'), '+12.0°');
  assert.equal(amountText(-0.5, { most: 2, step: 0.01 }, 'px'), '−0.50 px');
  assert.equal(amountText(0, { most: 40, step: 1 }, '%'), '0 %');
  assert.equal(amountText(0.5, { most: 2, step: 0.02 }, null), '+50 % of the way');
});

test('a direction is described by what it was computed from and how well codes tell its attribute', () => {
  const slant = { images: 10_000, labelled: null, auc: null, r_squared: 0.876 };
  assert.match(describeDirection(slant, 'Slant', FACTOR), /^How far it leans\. .* 88 % of it.*10,000 test images/);
  const four = { images: 10_000, labelled: 982, auc: 0.9634, r_squared: null };
  assert.match(describeDirection(four, 'a 4', undefined), /a 4, 982 of the 10,000 test images.* 96 % of all pairs/);
});

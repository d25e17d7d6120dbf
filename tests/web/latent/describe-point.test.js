import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, describeBriefly, joinWords, nearbyLabels } from '../../../static/js/latent/describe-point.js';
import { labelsOf } from '../../../static/js/latent/labels.js';
import { place } from './place.js';

test('a point is described by the digits around it', () => {
  assert.equal(describe(place({ 8: 1 }), 0.1).title, 'Among the 8s');
  assert.match(describe(place({ 8: 0.975, 3: 0.025 }), 0.1).text, /39 of the 40/);
  assert.equal(describe(place({ 8: 0.6, 5: 0.35, 3: 0.05 }), 0.1).title, 'Between 8 and 5');
  assert.equal(describe(place({ 8: 0.4, 5: 0.35, 3: 0.25 }), 0.1).title, 'Where 8, 5 and 3 meet');
  assert.equal(describe(place({ 7: 0.7, 9: 0.1, 4: 0.1, 1: 0.1 }), 0.1).title, 'Mostly 7s');
});

test('of a model with few codes no more are counted than there are', () => {
  assert.match(describe(place({ 8: 1 }, 0.01, 15), 0.1).text, /^All the 15 nearest codes/);
  assert.match(describeBriefly(place({ 8: 1 }, 0.01, 15), 0.1), /of the 15 nearest codes/);
});

test('a point of a fashion model is described by garments', () => {
  const title = (shares) => describe(place(shares), 0.1, labelsOf('fashion-mnist')).title;
  assert.equal(title({ 9: 1 }), 'Among the ankle boots');
  assert.equal(title({ 4: 0.6, 6: 0.4 }), 'Between coats and shirts');
  assert.match(describe(place({ 1: 1 }), 0.1, labelsOf('fashion-mnist')).text, /codes are trousers/);
});

test('a point far from every code is described as empty', () => {
  const { title, text } = describe(place({ 8: 1 }, 1.5), 0.1);
  assert.equal(title, 'Far from every code');
  assert.match(text, /1\.50 away/);
});

test('ten labels with equal shares still make a sentence', () => {
  const even = place(Object.fromEntries([...Array(10).keys()].map((d) => [d, 0.1])));
  assert.doesNotMatch(describe(even, 0.1).title, /undefined/);
});

test('labels with a tenth of the neighbours are not mentioned', () => {
  assert.deepEqual(nearbyLabels([0, 0, 0, 0.3, 0, 0.6, 0, 0, 0.1, 0]), [5, 3]);
});

test('a list has an "and" before its last item', () => {
  assert.equal(joinWords([8]), '8');
  assert.equal(joinWords([8, 5]), '8 and 5');
  assert.equal(joinWords([8, 5, 3]), '8, 5 and 3');
});

test('the short description names the nearest labels and how dense the codes are', () => {
  const near = { ...place({ 4: 0.6, 9: 0.375, 7: 0.025 }), reach: 0.05 };
  assert.equal(describeBriefly(near, 0.1), 'near 4 (60 %) and 9 (38 %) of the 40 nearest codes; many codes here');
  assert.match(describeBriefly({ ...near, reach: 0.2 }, 0.1), /few codes here, so the image may blur$/);
  assert.match(describeBriefly({ ...near, distance: 0.3, reach: 0.5 }, 0.1), /far from every code$/);
});

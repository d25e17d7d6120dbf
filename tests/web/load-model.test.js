import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAtlas } from '../../static/js/latent/atlas.js';
import { arrivalLatent } from '../../static/js/load-model.js';
import { FLAT } from './latent/patches.js';

const CARD = { id: 'a', family: 'ae', latent_dim: 2, dataset: 'mnist', planes: ['latent'] };

/** An atlas of four codes, image by image. */
const atlasOf = (places, more = {}) => createAtlas({ ...CARD, ...more }, FLAT, {
  count: places.length,
  dim: 2,
  values: new Float32Array(places.flat()),
  labels: new Uint8Array(places.map((_, i) => i)),
});
const NEAR = atlasOf([[0, 0], [1, 0], [0, 1], [1, 1]]);
const FAR = atlasOf([[10, 10], [20, 10], [10, 20], [20, 20]], { id: 'b' });

test('a link’s latent is kept, even outside the view', () => {
  assert.deepEqual(arrivalLatent(FAR, { atlas: null, shown: null, latent: [-3, 7], touched: true }), [-3, 7]);
});

test('a point stays if it lies in the next view', () => {
  const wide = atlasOf([[-5, -5], [5, 5], [5, -5], [-5, 5]], { id: 'b' });
  const state = { atlas: NEAR, shown: NEAR.card, latent: [0.9, 0.1], touched: true };
  assert.deepEqual(arrivalLatent(wide, state), [0.9, 0.1]);
});

test('a point outside the next view moves to the same test image', () => {
  const state = { atlas: NEAR, shown: NEAR.card, latent: [0.9, 0.1], touched: true };
  assert.deepEqual(arrivalLatent(FAR, state), [20, 10]);
});

test('images of another data set are not used to place the point', () => {
  const clothes = atlasOf([[10, 10], [20, 10], [10, 20], [20, 20]], { id: 'c', dataset: 'fashion-mnist' });
  const state = { atlas: NEAR, shown: NEAR.card, latent: [0.9, 0.1], touched: true };
  const [u, v] = arrivalLatent(clothes, state);
  assert.ok(clothes.landmarks.some(({ point }) => point.u === u && point.v === v));
});

test('after a model without a plane the point is where it was', () => {
  const shown = { ...CARD, id: 'words', planes: [] };
  assert.deepEqual(arrivalLatent(NEAR, { atlas: null, shown, latent: [0.9, 0.1], touched: true }), [0.9, 0.1]);
});

test('an untouched point starts at a landmark of the next model', () => {
  const [u, v] = arrivalLatent(FAR, { atlas: NEAR, shown: NEAR.card, latent: [0.9, 0.1], touched: false });
  assert.ok(FAR.landmarks.some(({ point }) => point.u === u && point.v === v));
});

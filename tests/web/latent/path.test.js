import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAtlas } from '../../../static/js/latent/atlas.js';
import { barsOf, between, labelOf, latentOf, pathIn } from '../../../static/js/latent/path.js';
import { AE, FLAT, patches } from './patches.js';

test('a path goes from a 0 to a 6 by default', () => {
  const atlas = createAtlas(AE, FLAT, patches({ label: 0, u: 0, v: 0, half: 1 }, { label: 6, u: 4, v: 0, half: 1 }));
  const path = pathIn(atlas, null);
  assert.equal(labelOf(atlas, path.start), 0);
  assert.equal(labelOf(atlas, path.end), 6);
  assert.ok(latentOf(atlas, path.end)[0] > 3);
});

test('an end outside the latent space of the model is replaced by the default', () => {
  const atlas = createAtlas(AE, FLAT, patches({ label: 0, u: 0, v: 0, half: 1 }, { label: 6, u: 4, v: 0, half: 1 }));
  const asked = { start: { latent: [1, 2, 3] }, end: { latent: [0.5, 0.5] }, kind: 'spherical' };
  const path = pathIn(atlas, asked);
  assert.equal(labelOf(atlas, path.start), 0);
  assert.deepEqual(path.end, { latent: [0.5, 0.5] });
  assert.equal(path.kind, 'spherical');
  const far = pathIn(atlas, { ...asked, start: { image: 99_999 } });
  assert.equal(labelOf(atlas, far.start), 0);
});

test('a path passes its steps at even intervals, and is straight between them', () => {
  const latents = [[0, 0], [1, 2], [2, 0]];
  assert.deepEqual(between(latents, 0), [0, 0]);
  assert.deepEqual(between(latents, 0.5), [1, 2]);
  assert.deepEqual(between(latents, 0.75), [1.5, 1]);
  assert.deepEqual(between(latents, 1), [2, 0]);
});

test('a bar chart has one bar per step, and the greatest fills the height', () => {
  assert.equal(barsOf([1, 4, 2], 4, 8), 'M0,8V6H1V0H2V4H3V8Z');
  assert.equal(barsOf([0, 0], 0, 8), 'M0,8V8H1V8H2V8Z', 'where nothing changes it is flat');
});

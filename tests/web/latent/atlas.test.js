import assert from 'node:assert/strict';
import { test } from 'node:test';
import { borderOf, codeOf, createAtlas, nearestFoot, rangeOf } from '../../../static/js/latent/atlas.js';
import { typicalReach } from '../../../static/js/latent/describe-point.js';
import { between } from '../../../static/js/latent/path.js';
import { AE, FLAT, VAE, patches } from './patches.js';

const distance = (a, b) => Math.hypot(a.u - b.u, a.v - b.v);

test('a landmark is where the codes of its label are densest, with a typical code', () => {
  const codes = patches(
    { label: 3, u: -2, v: 1, half: 0.2 },
    { label: 3, u: 2, v: 1, half: 1.5 },
    { label: 8, u: 1, v: -2, half: 0.5 },
  );
  const { landmarks } = createAtlas(AE, FLAT, codes);
  assert.deepEqual(landmarks.map(({ label }) => label), [3, 8]);
  assert.ok(distance(landmarks[0].point, { u: -2, v: 1 }) < 0.3);
  assert.equal(codes.labels[landmarks[1].index], 8);
  assert.ok(distance(landmarks[1].point, { u: 1, v: -2 }) < 0.6);
});

test('the view of an autoencoder holds its codes, that of a VAE its prior too', () => {
  const codes = patches({ label: 1, u: 5, v: 0, half: 1 });
  const { view } = createAtlas(AE, FLAT, codes);
  assert.ok(view.u0 > 3.5 && view.u0 < 4.06 && view.u1 > 5.94 && view.u1 < 6.5);
  const wide = createAtlas(VAE, FLAT, codes).view;
  assert.ok(wide.u0 <= -3 && wide.v0 <= -3 && wide.v1 >= 3 && wide.u1 > 5.9);
});

test('codes that coincide still have a view around them', () => {
  const { view } = createAtlas(AE, FLAT, patches({ label: 1, u: 2, v: 0, half: 0 }));
  assert.deepEqual(view, { u0: 1.5, v0: -0.5, u1: 2.5, v1: 0.5 });
});

test('the range of the numbers is that of the prior, or of the codes of an autoencoder', () => {
  const codes = patches({ label: 1, u: 0, v: 0, half: 10 });
  codes.values[0] = 1000;
  assert.equal(rangeOf({ card: VAE, codes }), 3);
  const range = rangeOf({ card: AE, codes });
  assert.ok(range > 9 && range < 10, 'all but the most remote');
  assert.equal(rangeOf({ card: AE, codes: patches({ label: 1, u: 0, v: 0, half: 0 }) }), 1);
});

test('one code far out does not shrink all others to a dot', () => {
  const codes = patches({ label: 1, u: 0, v: 0, half: 1 });
  codes.values[0] = 1000;
  assert.ok(createAtlas(AE, FLAT, codes).view.u1 < 2);
});

test('two digits meet where both are', () => {
  const atlas = createAtlas(
    AE,
    FLAT,
    patches({ label: 4, u: 0, v: 0, half: 1 }, { label: 9, u: 1.5, v: 0, half: 1 }),
  );
  const { u, v } = borderOf(atlas, 4, 9);
  assert.ok(u > 0.4 && u < 1.1 && Math.abs(v) < 1.1);
});

test('the nearest foot is that of the nearest code, of any label or of one', () => {
  const codes = { count: 3, dim: 2, values: new Float32Array([0, 0, 1, 0, 3, 0]), labels: new Uint8Array([1, 2, 1]) };
  const atlas = createAtlas(AE, FLAT, codes);
  assert.equal(nearestFoot(atlas, { u: 1.2, v: 0 }), 1);
  assert.equal(nearestFoot(atlas, { u: 1.2, v: 0 }, 1), 0);
  assert.equal(nearestFoot(atlas, { u: 0, v: 0 }, 7), -1);
});

test('codes of many dimensions lie at their feet', () => {
  const plane = { ...FLAT, origin: [0, 0, 1], axes: [[0, 1, 0], [0, 0, 1]] };
  const codes = { count: 1, dim: 3, values: new Float32Array([9, 2, 4]), labels: new Uint8Array([0]) };
  const atlas = createAtlas({ family: 'ae', latent_dim: 3 }, plane, codes);
  assert.deepEqual([...atlas.feet], [2, 3]);
  assert.deepEqual(codeOf(atlas, 0), [9, 2, 4]);
});

test('the typical reach grows with the distance between codes', async () => {
  const one = await typicalReach(patches({ label: 1, u: 0, v: 0, half: 1 }));
  const two = await typicalReach(patches({ label: 1, u: 0, v: 0, half: 2 }));
  assert.ok(Math.abs(two / one - 2) < 1e-5);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAtlas } from '../../../static/js/latent/atlas.js';
import { largestHole, samplingDistribution } from '../../../static/js/latent/holes.js';
import { AE, FLAT, VAE } from './patches.js';

/** An atlas of codes at these places. */
const atlasOf = (card, places) =>
  createAtlas(card, FLAT, {
    count: places.length, dim: 2, values: new Float32Array(places.flat()), labels: new Uint8Array(places.length),
  });
const lattice = (wanted, step = 0.1) =>
  Array.from({ length: 121 * 121 }, (_, n) => [((n % 121) - 60) * step, (Math.floor(n / 121) - 60) * step])
    .filter(([u, v]) => wanted(u, v));

test('the largest hole is the middle of a frame of codes', () => {
  const frame = lattice((u, v) => Math.max(Math.abs(u), Math.abs(v)) > 1.5 && Math.max(Math.abs(u), Math.abs(v)) < 2.5);
  const { u, v } = largestHole(atlasOf(AE, frame));
  assert.ok(Math.hypot(u, v) < 0.3);
});

test('the largest hole of a VAE lies within its prior, even if there are larger ones outside', () => {
  const codes = lattice((u, v) => Math.hypot(u, v) > 0.5 && Math.hypot(u - 4, v) > 1.5);
  const { u, v } = largestHole(atlasOf(VAE, codes));
  assert.ok(Math.hypot(u, v) < 0.1, `${u}, ${v}`);
});

test('the largest hole has codes all around it, even if there is more room at the edge', () => {
  const halfPlane = lattice((u, v) => u > -0.8 && Math.hypot(u - 0.5, v) > 0.4);
  const { u, v } = largestHole(atlasOf(VAE, halfPlane));
  assert.ok(Math.hypot(u - 0.5, v) < 0.2, `${u}, ${v}`);
});

test('without a place that is enclosed, the farthest of all is shown', () => {
  const { u } = largestHole(atlasOf(VAE, lattice((at) => at > 1)));
  assert.ok(u < -1.8);
});

test('an autoencoder is sampled from a Gaussian with the mean and the covariance of its codes', () => {
  const slanted = lattice((u, v) => Math.abs(u) < 2 && Math.abs(v - u) < 1).map(([u, v]) => [u + 7, v - 3]);
  const { centre, along, across, up } = samplingDistribution(atlasOf(AE, slanted));
  const mean = (of) => slanted.reduce((sum, place) => sum + of(place), 0) / slanted.length;
  const [mu, mv] = [mean(([u]) => u), mean(([, v]) => v)];
  const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-3, `${a} is not ${b}`);
  near(centre.u, mu);
  near(centre.v, mv);
  near(along ** 2, mean(([u]) => (u - mu) ** 2));
  near(along * across, mean(([u, v]) => (u - mu) * (v - mv)));
  near(across ** 2 + up ** 2, mean(([, v]) => (v - mv) ** 2));
});

test('codes that coincide have a Gaussian without extent', () => {
  const { centre, along, across, up } = samplingDistribution(atlasOf(AE, [[2, 1], [2, 1]]));
  assert.deepEqual({ centre, along, across, up }, { centre: { u: 2, v: 1 }, along: 0, across: 0, up: 0 });
});

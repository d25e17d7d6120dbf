import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ellipseOf, footOf, freedomOf, heightOf, latentAt, movedTo, parallelThrough, planeIdOf, planeThrough, sliceThrough, withCoordinate,
} from '../../../static/js/latent/plane.js';
import { near } from '../near.js';

/** A tilted plane in four dimensions: its axes are orthonormal, its origin is not zero. */
const TILTED = {
  id: 'tilted',
  title: '',
  origin: [1, -2, 0.5, 3],
  axes: [
    [0.5, 0.5, 0.5, 0.5],
    [0.5, -0.5, 0.5, -0.5],
  ],
  extent: [[-4, -4], [4, 4]],
};
const FLAT = { ...TILTED, origin: [0, 0], axes: [[1, 0], [0, 1]] };

test('a point of the plane is the foot of its own latent, at height 0', () => {
  const latent = latentAt(TILTED, { u: 1.5, v: -0.25 });
  const { u, v } = footOf(TILTED, latent);
  near(u, 1.5);
  near(v, -0.25);
  near(heightOf(TILTED, latent), 0);
});

test('in two dimensions a latent is its point', () => {
  assert.deepEqual(latentAt(FLAT, { u: 0.75, v: -0.35 }), [0.75, -0.35]);
  assert.deepEqual(footOf(FLAT, [0.75, -0.35]), { u: 0.75, v: -0.35 });
});

test('a latent is read from the middle of an array of codes', () => {
  assert.deepEqual(footOf(FLAT, new Float32Array([9, 9, 0.5, -2, 9]), 2), { u: 0.5, v: -2 });
});

test('moving a latent keeps its height and all that lies off the plane', () => {
  const latent = [0.3, 1.7, -2.2, 0.9];
  const moved = movedTo(TILTED, latent, { u: 2, v: 1 });
  const foot = footOf(TILTED, moved);
  near(foot.u, 2);
  near(foot.v, 1);
  near(heightOf(TILTED, moved), heightOf(TILTED, latent));
  const there = latentAt(TILTED, footOf(TILTED, latent));
  const here = latentAt(TILTED, foot);
  latent.forEach((z, i) => near(moved[i] - here[i], z - there[i]));
});

test('height, foot and origin satisfy Pythagoras', () => {
  const latent = [0.3, 1.7, -2.2, 0.9];
  const { u, v } = footOf(TILTED, latent);
  const squared = latent.reduce((sum, z, i) => sum + (z - TILTED.origin[i]) ** 2, 0);
  near(heightOf(TILTED, latent), Math.sqrt(squared - u * u - v * v));
});

test('the parallel plane through a latent contains it, with the same foot', () => {
  const latent = [0.3, 1.7, -2.2, 0.9];
  const plane = parallelThrough(TILTED, latent);
  near(heightOf(plane, latent), 0);
  near(footOf(plane, latent).u, footOf(TILTED, latent).u);
  latentAt(plane, footOf(TILTED, latent)).forEach((z, i) => near(z, latent[i]));
});

test('the ellipse of a diagonal covariance has the standard deviations for half-axes', () => {
  const { major, minor, angle } = ellipseOf(FLAT, [[0.04, 0], [0, 0.09]]);
  near(major, 0.3);
  near(minor, 0.2);
  near(Math.abs(angle), Math.PI / 2, 'the larger one along v:');
});

test('a covariance rotated by 30 degrees has an ellipse rotated by 30 degrees', () => {
  const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
  const [a, b] = [0.5 ** 2, 0.1 ** 2];
  const turned = [
    [a * c * c + b * s * s, (a - b) * c * s],
    [(a - b) * c * s, a * s * s + b * c * c],
  ];
  const { major, minor, angle } = ellipseOf(FLAT, turned);
  near(major, 0.5);
  near(minor, 0.1);
  near(angle, Math.PI / 6);
});

test('the projection of a unit Gaussian is a unit circle in any plane', () => {
  const identity = TILTED.origin.map((_, i) => TILTED.origin.map((_, j) => Number(i === j)));
  const { major, minor } = ellipseOf(TILTED, identity);
  near(major, 1);
  near(minor, 1);
});

test('the projection of a Gaussian has the variance of its samples along each axis', () => {
  // x = 3 e1 + 1 e2 with independent unit e1 along (1,0,0,0) and e2 along (0,0,0,1): projected by hand.
  const covariance = [[9, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]];
  const { major, minor } = ellipseOf(TILTED, covariance);
  // On (u, v) it is [[2.5, 2], [2, 2.5]]: eigenvalues 4.5 and 0.5.
  near(major, Math.sqrt(4.5));
  near(minor, Math.sqrt(0.5));
});

/** A plane askew in four dimensions. */
const ASKEW = {
  id: 'pca-0-1', title: '', version: '', extent: [[-4, -4], [4, 4]],
  origin: [0.5, -0.5, 1, 0],
  axes: [[0.6, 0.8, 0, 0], [0, 0, 0.8, 0.6]],
};

test('a slice goes through the point, and a latent in the plane keeps its plane', () => {
  const latent = [1, 2, -1, 0.5];
  const slice = sliceThrough(ASKEW, latent);
  near(heightOf(slice, latent), 0);
  near(footOf(slice, latent).u, footOf(ASKEW, latent).u);
  near(footOf(slice, latent).v, footOf(ASKEW, latent).v);
  assert.equal(slice.id, planeIdOf(slice));
  assert.equal(sliceThrough(ASKEW, [1.1, 0.3, 1, 0]), ASKEW);
});

test('the plane through three latents contains them all', () => {
  const latents = [[1, 0, 0, 0], [0, 2, 0, 1], [0, 0, 3, -1]];
  const plane = { ...ASKEW, ...planeThrough(latents, ASKEW.axes) };
  for (const latent of latents) near(heightOf(plane, latent), 0);
  const [a, b] = plane.axes;
  near(Math.hypot(...a), 1);
  near(Math.hypot(...b), 1);
  near(a.reduce((sum, x, i) => sum + x * b[i], 0), 0);
});

test('spare directions replace those that fewer latents, or latents on a line, leave open', () => {
  for (const latents of [[[1, 2, 3, 4]], [[1, 2, 3, 4], [1, 2, 3, 5]], [[0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2]]]) {
    const plane = { ...ASKEW, ...planeThrough(latents, ASKEW.axes) };
    assert.equal(plane.axes.filter((axis) => axis?.every(Number.isFinite)).length, 2);
    for (const latent of latents) near(heightOf(plane, latent), 0);
  }
  assert.deepEqual(planeThrough([[1, 2, 3, 4]], ASKEW.axes).axes, ASKEW.axes);
});

test('setting a number leaves the foot where it was', () => {
  const latent = [1, 2, -1, 0.5];
  for (const [index, value] of [[0, -3], [1, 0], [2, 2.5], [3, 7]]) {
    const moved = withCoordinate(ASKEW, latent, index, value);
    near(moved[index], value);
    near(footOf(ASKEW, moved).u, footOf(ASKEW, latent).u);
    near(footOf(ASKEW, moved).v, footOf(ASKEW, latent).v);
  }
  near(freedomOf(ASKEW, 0), 1 - 0.36);
});

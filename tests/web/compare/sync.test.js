import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syncMaps } from '../../../static/js/compare/sync.js';
import { INITIAL, createStore } from '../../../static/js/store.js';
import { LEFT, RIGHT } from './two-models.js';

const EYE = { x: 100, y: 100 };

const viewOf = (scale, u, v) => ({
  camera: null,
  width: 200,
  height: 200,
  reach: null,
  whole: { x: EYE.x - u * scale, y: EYE.y + v * scale, scale },
  limits: { minScale: scale, maxScale: 100 * scale, bounds: null, eye: EYE },
});

function twoMaps(more = {}) {
  const page = createStore({ ...INITIAL, atlas: LEFT, latent: [0.9, 0.1], view: viewOf(50, 0, 0), ...more });
  const second = createStore({ ...INITIAL, atlas: RIGHT, view: viewOf(5, 1, 2) });
  return { page, second, end: syncMaps(page, second) };
}

test('by image, a point moves to the other model’s code of the nearest image', () => {
  const { page, second } = twoMaps();
  assert.deepEqual(second.get().latent, [-5, 3]);
  assert.deepEqual(page.get().latent, [0.9, 0.1], 'the page keeps its point');
  page.set({ latent: [0, 1.9] });
  assert.deepEqual(second.get().latent, [0, -20]);
  assert.deepEqual(page.get().latent, [0, 1.9], 'the leader stays');
  second.set({ latent: [9, 9] });
  assert.deepEqual(page.get().latent, [0, 0]);
  assert.deepEqual(second.get().latent, [9, 9]);
});

test('moving the second map counts as a touch, and stops playing', () => {
  const { page, second } = twoMaps({ playing: true, touched: false });
  second.set({ latent: [9, 9] });
  assert.equal(page.get().touched, true);
  assert.equal(page.get().playing, false);
});

test('by coordinates, a point has the same numbers in both, within the other extent', () => {
  const { page, second } = twoMaps({ link: 'coordinates' });
  assert.deepEqual(second.get().latent, [0.9, 0.1]);
  second.set({ latent: [3, -30] });
  assert.deepEqual(page.get().latent.map((z) => +z.toFixed(9)), [3, -4]);
});

test('changing the link moves the other point at once', () => {
  const { page, second } = twoMaps();
  page.set({ link: 'coordinates' });
  assert.deepEqual(second.get().latent.map((z) => +z.toFixed(9)), [0.9, 0.1]);
});

test('both cameras show the same part of the whole at any scale', () => {
  const { page, second } = twoMaps();
  page.set({ framing: { u: 1, v: -1, zoom: 4 } });
  // 50 pixels right and down of the whole: 10 latent units of the other, whose middle is (1, 2).
  assert.deepEqual(second.get().framing, { u: 11, v: -8, zoom: 4 });
  second.set({ framing: { u: 1, v: 2, zoom: 2 } });
  assert.deepEqual(page.get().framing, { u: 0, v: 0, zoom: 2 });
  page.set({ framing: null });
  assert.equal(second.get().framing, null);
});

test('a map that panned after its own point keeps that offset until the whole is shown', () => {
  const { page, second } = twoMaps();
  page.set({ framing: { u: 0, v: 0, zoom: 4 } });
  const unwatch = second.watch(['latent'], ({ latent }) => {
    if (latent[0] === 0) second.set({ framing: { u: 0, v: -20, zoom: 4 } });
  });
  page.set({ latent: [0, 2] });
  unwatch();
  assert.deepEqual(page.get().framing, { u: 0, v: 0, zoom: 4 }, 'it went alone');
  page.set({ framing: { u: 0.1, v: 0, zoom: 4 } });
  const { u, v } = second.get().framing;
  assert.ok(Math.abs(u - 1) < 1e-9 && Math.abs(v + 20) < 1e-9);
  page.set({ framing: null });
  page.set({ framing: { u: 0, v: 0, zoom: 3 } });
  assert.deepEqual(second.get().framing, { u: 1, v: 2, zoom: 3 });
});

test('a point that lands under a panel pans its own map, and no other', () => {
  const page = createStore({ ...INITIAL, atlas: LEFT, latent: [0, 0], view: viewOf(50, 0, 0) });
  const camera = { x: 0, y: 0, scale: 10 };
  const second = createStore({ ...INITIAL, atlas: RIGHT, view: { ...viewOf(5, 1, 2), camera } });
  syncMaps(page, second, (store, { v }) => store === page || v > -15);
  page.set({ latent: [0, 2] });
  assert.equal(second.get().framing, null, 'the whole stays the whole');
  page.set({ latent: [0, 0], framing: { u: 0, v: 0, zoom: 2 } });
  page.set({ latent: [0, 2] });
  assert.deepEqual(second.get().framing, { u: 0, v: -20, zoom: 2 });
  assert.deepEqual(page.get().framing, { u: 0, v: 0, zoom: 2 });
});

test('the second map adopts the first map’s framing when it arrives', () => {
  const page = createStore({ ...INITIAL, atlas: LEFT, latent: [0, 0], view: viewOf(50, 0, 0), framing: { u: 1, v: 0, zoom: 2 } });
  const second = createStore(INITIAL);
  syncMaps(page, second);
  second.set({ atlas: RIGHT });
  second.set({ view: viewOf(5, 1, 2) });
  assert.deepEqual(second.get().framing, { u: 11, v: 2, zoom: 2 });
  second.set({ framing: { u: 1, v: 2, zoom: 2 } });
  second.set({ view: viewOf(5, 1, 2) });
  assert.deepEqual(second.get().framing, { u: 1, v: 2, zoom: 2 }, 'only once');
});

test('neither map moves the other once synchronisation has ended', () => {
  const { page, second, end } = twoMaps();
  end();
  page.set({ latent: [0, 2], framing: { u: 1, v: 1, zoom: 2 } });
  assert.deepEqual(second.get().latent, [-5, 3]);
  assert.equal(second.get().framing, null);
});

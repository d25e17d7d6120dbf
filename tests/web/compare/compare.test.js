import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syncMaps } from '../../../static/js/compare/sync.js';
import { nearestImage, sameCoordinates, sameImage } from '../../../static/js/compare/correspondence.js';
import { INITIAL, createStore } from '../../../static/js/store.js';
import { linkOf, partnerOf } from '../../../static/js/compare/pairs.js';

const card = (id, more = {}) => ({ id, dataset: 'mnist', latent_dim: 2, family: 'vae', planes: ['latent'], ...more });
const plane = (reach) => ({ id: 'latent', origin: [0, 0], axes: [[1, 0], [0, 1]], extent: [[-reach, -reach], [reach, reach]] });
const codesOf = (rows) => {
  return { count: rows.length, dim: rows[0].length, values: Float32Array.from(rows.flat()), labels: new Uint8Array(rows.length) };
};
/** Three images, told by each model in its own way. */
const LEFT = { card: card('left'), plane: plane(4), codes: codesOf([[0, 0], [1, 0], [0, 2]]) };
const RIGHT = { card: card('right'), plane: plane(40), codes: codesOf([[10, 10], [-5, 3], [0, -20]]) };
const EYE = { x: 100, y: 100 };
const viewOf = (scale, u, v) => ({
  camera: null,
  width: 200,
  height: 200,
  reach: null,
  whole: { x: EYE.x - u * scale, y: EYE.y + v * scale, scale },
  limits: { least: scale, most: 100 * scale, bounds: null, eye: EYE },
});

function twoMaps(more = {}) {
  const page = createStore({ ...INITIAL, atlas: LEFT, latent: [0.9, 0.1], view: viewOf(50, 0, 0), ...more });
  const second = createStore({ ...INITIAL, atlas: RIGHT, view: viewOf(5, 1, 2) });
  return { page, second, end: syncMaps(page, second) };
}

test('by image, a point goes to the code of the image that is nearest in the other model', () => {
  const { page, second } = twoMaps();
  assert.deepEqual(second.get().latent, [-5, 3]);
  assert.deepEqual(page.get().latent, [0.9, 0.1], 'the page keeps its point');
  page.set({ latent: [0, 1.9] });
  assert.deepEqual(second.get().latent, [0, -20]);
  assert.deepEqual(page.get().latent, [0, 1.9], 'who leads stays');
  second.set({ latent: [9, 9] });
  assert.deepEqual(page.get().latent, [0, 0]);
  assert.deepEqual(second.get().latent, [9, 9]);
});

test('a hand on the map beside is a hand on the page: it ends what moves by itself', () => {
  const { page, second } = twoMaps({ playing: true, touched: false });
  second.set({ latent: [9, 9] });
  assert.equal(page.get().touched, true);
  assert.equal(page.get().playing, false);
});

test('by coordinates, a point has the same numbers in both, as far as the other has images', () => {
  const { page, second } = twoMaps({ link: 'coordinates' });
  assert.deepEqual(second.get().latent, [0.9, 0.1]);
  second.set({ latent: [3, -30] });
  assert.deepEqual(page.get().latent.map((z) => +z.toFixed(9)), [3, -4]);
});

test('another kind of link moves the other point at once', () => {
  const { page, second } = twoMaps();
  page.set({ link: 'coordinates' });
  assert.deepEqual(second.get().latent.map((z) => +z.toFixed(9)), [0.9, 0.1]);
});

test('models of other images are linked by coordinates, whatever is wished', () => {
  const clothes = { dataset: 'fashion-mnist' };
  assert.equal(linkOf('image', LEFT.card, clothes), 'coordinates');
  assert.equal(linkOf('image', LEFT.card, RIGHT.card), 'image');
});

test('the image is looked for in all dimensions, not at the foot in the plane', () => {
  const deep = { codes: codesOf([[0, 0, 5], [1, 0, 0]]) };
  assert.equal(nearestImage(deep, [0.2, 0, 4]), 0);
  assert.equal(nearestImage(deep, [0.2, 0, 0]), 1);
  assert.deepEqual(sameImage(deep, RIGHT, [0.2, 0, 0]), [-5, 3]);
  assert.equal(sameImage({ codes: codesOf([[0], [0], [0], [9]]) }, RIGHT, [9]), null, 'the other has only three');
});

test('by coordinates, what the other plane does not show keeps its value', () => {
  const deep = { plane: { origin: [0, 0, 0], axes: [[1, 0, 0], [0, 1, 0]], extent: [[-4, -4], [4, 4]] } };
  assert.deepEqual(sameCoordinates(LEFT, deep, [1, 2], [0, 0, 7]), [1, 2, 7]);
});

test('a camera shows the same part of the whole in both, whatever their scales', () => {
  const { page, second } = twoMaps();
  page.set({ framing: { u: 1, v: -1, zoom: 4 } });
  // 50 pixels right and down of the whole: 10 latent units of the other, whose middle is (1, 2).
  assert.deepEqual(second.get().framing, { u: 11, v: -8, zoom: 4 });
  second.set({ framing: { u: 1, v: 2, zoom: 2 } });
  assert.deepEqual(page.get().framing, { u: 0, v: 0, zoom: 2 });
  page.set({ framing: null });
  assert.equal(second.get().framing, null);
});

test('a map that went after its own point keeps that distance until the whole is shown', () => {
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

test('a point that is sent under a sheet takes its own map along, and no other', () => {
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

test('what the page shows as the other arrives is shown there too', () => {
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

test('an ended bond moves nothing', () => {
  const { page, second, end } = twoMaps();
  end();
  page.set({ latent: [0, 2], framing: { u: 1, v: 1, zoom: 2 } });
  assert.deepEqual(second.get().latent, [-5, 3]);
  assert.equal(second.get().framing, null);
});

test('each model has a partner with a map, and is never its own', () => {
  const models = [
    card('mnist-vae-2d'),
    card('mnist-ae-2d', { family: 'ae' }),
    card('mnist-vqvae', { planes: [] }),
    card('fashion-vae-2d', { dataset: 'fashion-mnist' }),
    card('fashion-vae-2d-dropout', { dataset: 'fashion-mnist' }),
    card('mnist-vae-2d-beta-1'),
    card('mnist-vae-2d-beta-64'),
    card('other'),
  ];
  const partner = (id, offered = models) => partnerOf(offered, offered.find((one) => one.id === id), 'mnist-vae-2d')?.id;
  assert.equal(partner('mnist-vae-2d'), 'mnist-ae-2d');
  assert.equal(partner('mnist-ae-2d'), 'mnist-vae-2d');
  assert.equal(partner('mnist-vae-2d-beta-1'), 'mnist-vae-2d-beta-64');
  assert.equal(partner('fashion-vae-2d'), 'fashion-vae-2d-dropout');
  assert.equal(partner('other'), 'mnist-vae-2d');
  assert.equal(partner('mnist-vae-2d', models.filter(({ id }) => id !== 'mnist-ae-2d')), 'mnist-vae-2d-beta-1');
  assert.equal(partner('other', [card('other'), card('mnist-vqvae', { planes: [] })]), undefined);
});

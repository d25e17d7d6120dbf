import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closestLabels, createAtlas } from '../../../static/js/latent/atlas.js';
import { besideFor, ladderOf } from '../../../static/js/latent/own-lessons.js';
import { walkEnds } from '../../../static/js/latent/path.js';
import { FLAT } from './patches.js';

const CARD = { id: 'a', family: 'ae', latent_dim: 2, dataset: 'mine', planes: ['latent'], beta: null };

/** @param {[number, number, number][]} places  u, v, label */
const atlasOf = (places) => createAtlas(CARD, FLAT, {
  count: places.length,
  dim: 2,
  values: new Float32Array(places.flatMap(([u, v]) => [u, v])),
  labels: new Uint8Array(places.map(([, , label]) => label)),
});

/** Codes of one label in a square. */
const crowd = (u, v, label) =>
  Array.from({ length: 25 }, (_, n) => [u + 0.1 * (n % 5), v + 0.1 * Math.floor(n / 5), label]);

test('the labels that lie closest are those that meet', () => {
  const atlas = atlasOf([...crowd(0, 0, 0), ...crowd(9, 9, 1), ...crowd(0.3, 0.2, 2)]);
  assert.deepEqual(closestLabels(atlas), [0, 2]);
  assert.equal(closestLabels(atlasOf(crowd(0, 0, 0))), null);
});

test('a walk leads between the labels that lie farthest apart', () => {
  const atlas = atlasOf([...crowd(0, 0, 0), ...crowd(9, 9, 1), ...crowd(3, 3, 2)]);
  const labels = walkEnds(atlas).map((image) => atlas.codes.labels[image]);
  assert.deepEqual(labels.sort(), [0, 1]);
});

test('a walk among codes of one label leads between its most remote ones', () => {
  const ends = walkEnds(atlasOf([[0, 0, 0], [1, 0, 0], [2, 0, 0], [9, 1, 0]]));
  assert.deepEqual(ends.sort(), [0, 3]);
});

test('a ladder has one rung for each weight of the VAEs of the same images', () => {
  const rung = (id, beta, more = {}) => ({ ...CARD, family: 'vae', id, beta, ...more });
  const models = [rung('four', 4), rung('one', 1), rung('again', 1), rung('other', 2, { dataset: 'mnist' }), CARD];
  assert.deepEqual(ladderOf(models, models[1]).map(({ id }) => id), ['one', 'four']);
  assert.deepEqual(ladderOf(models.slice(1, 2), models[1]), []);
});

test('draws are compared with a model of the other family, if there is one', () => {
  const vae = { ...CARD, family: 'vae', id: 'b' };
  const other = { ...vae, id: 'c' };
  assert.equal(besideFor([vae, other, CARD], vae)?.id, 'a');
  assert.equal(besideFor([vae, other], vae)?.id, 'c');
  assert.equal(besideFor([vae], vae), undefined);
});

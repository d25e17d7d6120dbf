import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkOf, partnerOf } from '../../../static/js/compare/pairs.js';
import { card } from './two-models.js';

test('models of different data sets are linked by coordinates only', () => {
  const clothes = { dataset: 'fashion-mnist' };
  assert.equal(linkOf('image', card('left'), clothes), 'coordinates');
  assert.equal(linkOf('image', card('left'), card('right')), 'image');
});

test('each model has a partner with a map, other than itself', () => {
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

test('the partner in a fair pair differs in the objective alone', () => {
  const models = ['mnist-vae-2d', 'mnist-ae-2d', 'mnist-vae-2d-plain'].map((id) => card(id));
  const partner = (id) => partnerOf(models, models.find((one) => one.id === id), 'mnist-vae-2d')?.id;
  assert.equal(partner('mnist-ae-2d'), 'mnist-vae-2d-plain');
  assert.equal(partner('mnist-vae-2d-plain'), 'mnist-ae-2d');
  assert.equal(partner('mnist-vae-2d'), 'mnist-vae-2d-plain');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distinctTitle, groupsOf, hasPlane, kindOfModel, shortId } from '../../../static/js/latent/model-groups.js';

const card = (id, more = {}) => ({ id, family: 'vae', latent_dim: 2, dataset: 'mnist', planes: ['latent'], ...more });
const titlesAndIds = (groups) => groups.map(({ title, models }) => [title, models.map(({ id }) => id)]);

test('models are grouped as the server says, in its order', () => {
  const models = [card('a'), card('b'), card('c')];
  const groups = [
    { id: 'two', title: 'Second', about: '', models: ['c', 'a'] },
    { id: 'one', title: 'First', about: '', models: ['b'] },
  ];
  assert.deepEqual(titlesAndIds(groupsOf({ models, groups })), [['Second', ['c', 'a']], ['First', ['b']]]);
});

test('models of one title show their ids, others do not', () => {
  const models = [card('a', { title: 'Shapes' }), card('b', { title: 'Shapes' }), card('c', { title: 'Digits' })];
  const groups = [{ id: 'one', title: 'One', about: '', models }];
  assert.deepEqual(models.map((model) => distinctTitle(model, groups)), ['Shapes (a)', 'Shapes (b)', 'Digits']);
});

test('a group without models is left out', () => {
  const groups = [
    { id: 'one', title: 'One', about: '', models: ['a'] },
    { id: 'none', title: 'None', about: '', models: [] },
    { id: 'away', title: 'Away', about: '', models: ['not-here'] },
  ];
  assert.deepEqual(titlesAndIds(groupsOf({ models: [card('a')], groups })), [['One', ['a']]]);
});

test('a model is named after its family and the size of its code', () => {
  assert.equal(kindOfModel(card('a')), 'VAE 2-D');
  assert.equal(kindOfModel(card('a', { family: 'ae', latent_dim: 20 })), 'AE 20-D');
  assert.equal(kindOfModel(card('a', { family: 'vqvae', latent_dim: 49, planes: [] })), 'VQ-VAE, 49 entries');
});

test('a model without planes has no plane to show', () => {
  assert.equal(hasPlane(card('a')), true);
  assert.equal(hasPlane(card('a', { planes: [] })), false);
});

test('a short id leaves out the data set, of which fashion-mnist is called fashion', () => {
  assert.equal(shortId(card('mnist-vae-2d-beta-4')), 'vae-2d-beta-4');
  assert.equal(shortId(card('fashion-ae-2d', { dataset: 'fashion-mnist' })), 'ae-2d');
  assert.equal(shortId(card('my-own')), 'my-own');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe } from '../../../static/js/latent/describe-point.js';
import { addDatasets, isKnownDataset, labelsOf, wordsFor } from '../../../static/js/latent/labels.js';
import { place } from './place.js';

test('labels have the right article', () => {
  assert.deepEqual([7, 8].map((d) => labelsOf('mnist')[d].one), ['a 7', 'an 8']);
  assert.deepEqual([8, 9].map((d) => labelsOf('fashion-mnist')[d].one), ['a bag', 'an ankle boot']);
});

test('another data set uses the names of labels that the server sends', () => {
  assert.equal(isKnownDataset('shapes'), false);
  addDatasets([{ id: 'shapes', title: 'My shapes', labels: ['circle', 'square'] }, { id: 'mnist', title: 'No', labels: [] }]);
  assert.equal(isKnownDataset('shapes'), true);
  assert.deepEqual(labelsOf('shapes').map(({ name }) => name), ['circle', 'square']);
  assert.equal(describe(place({ 1: 1 }), 0.1, labelsOf('shapes')).title, 'Among the “square” images');
  assert.equal(wordsFor('shapes').pathLabels, null);
  assert.equal(labelsOf('mnist').length, 10);
});

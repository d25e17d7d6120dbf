import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineOf, scaleOf, shareOf, stageAt, stagesOf, valueAt } from '../../../static/js/latent/training-curve.js';

/** @type {(epoch: number, stage: string, measured?: object) => any} */
const epochOf = (epoch, stage, measured = {}) =>
  ({ epoch, stage, train_loss: null, reconstruction: null, kl: null, elbo: null, more: {}, ...measured });

const EPOCHS = [
  epochOf(1, 'layout', { train_loss: 150, reconstruction: -140, more: { distance: 0.3 } }),
  epochOf(2, 'fit', { train_loss: 200, reconstruction: -150, elbo: -190 }),
  epochOf(3, 'fit', { train_loss: 140, reconstruction: -131, elbo: -138 }),
  epochOf(4, 'importance', { train_loss: 117, elbo: -139, more: { log_likelihood_16: -127 } }),
  epochOf(5, 'distil', { train_loss: 123, more: { kl_to_teacher: 0.2 } }),
  epochOf(6, 'refit', { train_loss: 134, elbo: -134.5 }),
];

test('each stage has the quantity that it is about, in its unit', () => {
  const stages = stagesOf(EPOCHS);
  assert.deepEqual(
    stages.map(({ title, name, unit, points }) => [title, name, unit, points.at(-1)?.value]),
    [
      ['Layout', 'distance from the places of t-SNE', 'latent units', 0.3],
      ['Fit', 'ELBO', 'nats per image', -138],
      ['Importance', 'log p(x) from 16 samples', 'nats per image', -127],
      ['Distillation', 'KL from the images of the teacher', 'nats per image', 0.2],
      ['Refit', 'ELBO', 'nats per image', -134.5],
    ],
  );
});

test('the loss is drawn with its sign turned, and only beside the bound that it belongs to', () => {
  const [layout, fit, importance] = stagesOf(EPOCHS);
  assert.deepEqual(fit.training, [{ epoch: 2, value: -200 }, { epoch: 3, value: -140 }]);
  assert.match(fit.trainingName, /reconstruction − β KL/);
  assert.deepEqual([layout.training, importance.training], [[], []]);
});

test('a plainly trained model has one curve, of its ELBO or its reconstruction', () => {
  const autoencoder = stagesOf([1, 2].map((epoch) => epochOf(epoch, 'fit', { train_loss: 130, reconstruction: -129 })));
  assert.deepEqual(autoencoder.map(({ name }) => name), ['reconstruction']);
  assert.deepEqual(stagesOf([epochOf(1, 'pretrain', { train_loss: 70 })]).map(({ name }) => name), ['loss of the training images']);
});

test('an epoch belongs to the stage that ends with it or after it', () => {
  const stages = stagesOf(EPOCHS);
  assert.deepEqual([0, 1, 1.5, 3, 6, 9].map((epoch) => stageAt(stages, epoch).id), ['layout', 'layout', 'fit', 'fit', 'refit', 'refit']);
  assert.deepEqual([1, 2, 2.5, 9].map((epoch) => valueAt(stages[1], epoch)), [null, -190, -190, -138]);
});

test('a line fills the box of its own stage, and outliers of the first epochs lie on its edge', () => {
  const [stage] = stagesOf([-500, -160, -150, -145, -144, -143, -142, -141].map((elbo, i) => epochOf(i + 1, 'fit', { elbo })));
  const scale = scaleOf(stage, -140);
  assert.deepEqual(scale, { from: 1, to: 8, low: -160, high: -140 });
  const line = lineOf(stage.points, scale, 300, 60);
  assert.match(line, /^M0,60L/);
  assert.match(line, /L300,3$/);
  assert.equal(shareOf({ from: 4, to: 4 }, 4), 1, 'of a single epoch');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  blocksOf, directionOf, ownUnit, printedMeasure, referenceFor, valueOf, hasCollapsed, placesOf,
} from '../../../static/js/latent/measures.js';

const MEASURES = [
  { key: 'grey.elbo', title: 'ELBO', unit: 'nats', digits: 2, better: 'higher', about: '' },
  { key: 'grey.kl', title: 'KL', unit: 'nats', digits: 2, better: null, about: '' },
  { key: 'samples.fid', title: 'FID', unit: '', digits: 1, better: 'lower', about: '' },
];
const VAE = {
  id: 'vae', family: 'vae', dataset: 'mnist', latent_dim: 2,
  metrics: {
    grey: { elbo: -136.276, kl: 6.89, protocol: 'all images' },
    samples: { fid: 12.04, floor: { fid: 0.31 }, protocol: 'features' },
  },
};
const AE = {
  id: 'ae', family: 'ae', dataset: 'mnist', latent_dim: 2,
  metrics: { grey: { elbo: null, kl: null, protocol: 'at the code' }, samples: { fid: 30.5, protocol: 'features' } },
};
const rowsOf = (blocks) => Object.fromEntries(blocks.flatMap(({ rows }) => rows.map((row) => [row.measure.key, row])));

test('a measure is found by its path, and only numbers count', () => {
  assert.equal(valueOf(VAE, 'samples.floor.fid'), 0.31);
  for (const key of ['grey.none', 'none.elbo', 'grey.elbo.deeper', 'grey.protocol', 'grey']) {
    assert.equal(valueOf(VAE, key), null, key);
  }
  assert.equal(valueOf(AE, 'grey.elbo'), null);
  assert.equal(valueOf(undefined, 'grey.elbo'), null);
});

test('a value has the digits of its measure and a real minus sign, and zero has no sign', () => {
  assert.equal(printedMeasure({ digits: 2 }, -136.276), '−136.28');
  assert.equal(printedMeasure({ digits: 0 }, 7.6), '8');
  assert.equal(printedMeasure({ digits: 1 }, -0.01), '0.0');
  assert.equal(printedMeasure({ digits: 1 }, null), '');
  assert.equal(printedMeasure({ digits: 3, unit: 'share' }, 0.9274), '92.7 %');
});

test('blocks are in the order of the table, with measured values only', () => {
  assert.deepEqual(blocksOf(MEASURES, VAE).map(({ id }) => id), ['grey', 'samples']);
  assert.deepEqual(blocksOf(MEASURES, AE).map(({ id }) => id), ['samples']);
  assert.deepEqual(blocksOf([], VAE), []);
});

test('the direction of a measure decides which of two values is better', () => {
  const rows = rowsOf(blocksOf(MEASURES, VAE, AE));
  assert.equal(rows['samples.fid'].better, 'value', 'a lower FID is better');
  assert.equal(rowsOf(blocksOf(MEASURES, AE, VAE))['samples.fid'].better, 'other');
  assert.equal(rows['grey.elbo'].better, null, 'an autoencoder has none');
  assert.equal(rows['grey.elbo'].other, '');
  const higher = { ...VAE, metrics: { grey: { elbo: -130, kl: 9 } } };
  assert.equal(rowsOf(blocksOf(MEASURES, VAE, higher))['grey.elbo'].better, 'other');
  assert.equal(rowsOf(blocksOf(MEASURES, VAE, higher))['grey.kl'].better, null, 'neither way is better');
});

test('a unit common to all rows is shown once, any other in its row', () => {
  const odd = { key: 'samples.recall', title: 'Recall', unit: 'share', digits: 3, better: 'higher', about: '' };
  const card = { ...VAE, metrics: { ...VAE.metrics, samples: { fid: 1, recall: 0.5 } } };
  const [grey, samples] = blocksOf([...MEASURES, { ...MEASURES[2], unit: 'px' }, odd], card);
  assert.equal(grey.unit, 'nats');
  assert.equal(samples.unit, '');
  assert.deepEqual(grey.rows.map(({ measure }) => ownUnit(measure, grey)), ['', '']);
  assert.deepEqual(samples.rows.map(({ measure }) => ownUnit(measure, samples)), ['', 'px', '']);
});

test('each measure says which way is better', () => {
  const said = MEASURES.map(directionOf);
  assert.match(said[0], /higher is better/i);
  assert.match(said[1], /neither/i);
  assert.match(said[2], /lower is better/i);
});

test('measures that cannot be compared have no better value and a reason', () => {
  const gaussian = { ...VAE, likelihood: 'gaussian', metrics: { ...VAE.metrics, samples: { fid: 20 } } };
  const [grey, samples] = blocksOf(MEASURES, VAE, gaussian);
  assert.deepEqual(grey.rows.map(({ better }) => better), [null, null]);
  assert.match(grey.obstacle, /pixel/);
  assert.equal(samples.rows[0].better, 'value', 'images out of nothing are images whatever a pixel is');
  assert.equal(samples.obstacle, '');
  const clothes = { ...VAE, dataset: 'fashion-mnist', metrics: { samples: { fid: 20 } } };
  const [, other] = blocksOf(MEASURES, VAE, clothes);
  assert.equal(other.rows[0].better, null);
  assert.match(other.obstacle, /different images/);
});

test('two values that are formatted the same are a tie', () => {
  const alike = { ...VAE, metrics: { ...VAE.metrics, grey: { elbo: -136.2762, kl: 1 } } };
  assert.equal(rowsOf(blocksOf(MEASURES, VAE, alike))['grey.elbo'].better, null);
});

test('a row has the floor of its measure', () => {
  const rows = rowsOf(blocksOf(MEASURES, VAE));
  assert.equal(rows['samples.fid'].floor, 'Real images score 0.3.');
  assert.equal(rows['grey.elbo'].floor, '');
});

test('a protocol that both models share is shown once', () => {
  const [grey, samples] = blocksOf(MEASURES, VAE, AE);
  assert.deepEqual([grey.protocol, grey.otherProtocol], ['all images', 'at the code']);
  assert.deepEqual([samples.protocol, samples.otherProtocol], ['features', '']);
});

test('the reference is an autoencoder for the default VAE, and the default for all others of its data set', () => {
  const clothes = { ...AE, id: 'clothes', dataset: 'fashion-mnist' };
  const wide = { ...AE, id: 'wide', latent_dim: 20 };
  const models = [wide, VAE, AE, clothes];
  assert.equal(referenceFor(models, VAE, 'vae')?.id, 'ae');
  assert.equal(referenceFor(models, AE, 'vae')?.id, 'vae');
  assert.equal(referenceFor(models, wide, 'vae')?.id, 'vae');
  assert.equal(referenceFor(models, clothes, 'vae'), undefined, 'other data, other numbers');
});

test('a VAE with almost no KL has collapsed, and an autoencoder never has', () => {
  const card = (family, kl) => ({ family, metrics: { grey: { kl } } });
  assert.equal(hasCollapsed(card('vae', 0.02)), true);
  assert.equal(hasCollapsed(card('vae', 0.8)), false);
  assert.equal(hasCollapsed(card('ae', null)), false);
  assert.equal(hasCollapsed({ family: 'vae', metrics: {} }), false, 'not measured');
});

test('a decoder that ignores its code wins nothing by it', () => {
  const collapsed = { ...VAE, metrics: { ...VAE.metrics, grey: { elbo: -206, kl: 0 }, completeness: { holes: 0 } } };
  const other = { ...VAE, metrics: { ...VAE.metrics, completeness: { holes: 4 } } };
  const holes = [{ key: 'completeness.holes', title: 'Holes', unit: '', digits: 0, better: 'lower', about: '' }];
  assert.equal(rowsOf(blocksOf(holes, collapsed, other))['completeness.holes'].better, null);
  assert.equal(rowsOf(blocksOf(holes, other, collapsed))['completeness.holes'].better, null);
  const fewer = { ...VAE, metrics: { ...VAE.metrics, completeness: { holes: 2 } } };
  assert.equal(rowsOf(blocksOf(holes, other, fewer))['completeness.holes'].better, 'other');
});

test('the seam of a model is in its metrics, if it has one', () => {
  const seam = { labels: [4, 9], latent: [1, 2], confidence: 0.5, images: [3, 4] };
  assert.deepEqual(placesOf({ metrics: { places: { seam } } }), { seam: { latent: [1, 2], images: [3, 4] } });
  assert.equal(placesOf({ metrics: { places: null } }), null);
  assert.equal(placesOf({ metrics: {} }), null);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printedElbo } from '../../../static/js/latent/nats.js';

test('the printed ELBO is the difference of the printed parts', () => {
  for (let i = 0; i < 500; i++) {
    const [reconstruction, kl] = [-130.0049 - 0.3337 * i, 6.0051 + 0.0173 * i];
    const sum = printedElbo(reconstruction, kl);
    const [r, k, t] = [sum.reconstruction, sum.kl, sum.total].map((text) => Math.round(100 * text.replace('−', '-')));
    assert.equal(r - k, t);
    assert.ok(Math.abs(t / 100 - (reconstruction - kl)) <= 0.0101);
  }
});

test('an autoencoder has a reconstruction and no ELBO', () => {
  assert.deepEqual(printedElbo(-155.014, null), { reconstruction: '−155.01', kl: '', total: '' });
});

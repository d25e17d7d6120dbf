import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeEncoded } from '../../../static/js/panels/draw-words.js';

const elbo = { reconstruction: -100.5, kl: 6.25 };

test('an encoded test image is told with its label and its ELBO', () => {
  assert.equal(describeEncoded(7, 'a 9', { elbo, denoised: null }), 'Test image 7, a 9: ELBO −106.75 nats.');
});

test('without a KL it is the reconstruction, and without a label the number alone', () => {
  const bare = { elbo: { reconstruction: -80, kl: null }, denoised: null };
  assert.equal(describeEncoded(7, undefined, bare), 'Test image 7: reconstruction −80.00 nats.');
});

test('of a noisy image it is how much noise was removed', () => {
  const denoised = { clean: '', before: 0.4, after: 0.1234 };
  const said = describeEncoded(7, 'a 9', { elbo, denoised });
  assert.match(said, /0\.400 .*0\.123/);
  assert.doesNotMatch(said, /ELBO/);
});

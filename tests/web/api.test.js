import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf, readingOf, sentenceFor } from '../../static/js/api.js';

test('of a picture is sent what differs from saying nothing', () => {
  const nothing = { box: [0, 0, 1, 1], at: null, polarity: null, brightness: 0 };
  assert.deepEqual(fieldsOf(nothing), []);
  assert.deepEqual(fieldsOf({ box: [0.1, 1 / 3, 1, 1], at: [0.5, 0.6], polarity: 'light-on-dark', brightness: -0.4 }), [
    ['box', '0.1,0.3333,1,1'], ['at', '0.5,0.6'], ['polarity', 'light-on-dark'], ['brightness', '-0.4'],
  ]);
});

test('the range of a field is parsed from its header', () => {
  assert.deepEqual(readingOf('low=1e-05; high=0.42; unit=per squared unit; scale=log'), {
    low: 1e-5, high: 0.42, unit: 'per squared unit', scale: 'log',
  });
  assert.equal(readingOf(null).unit, '');
});

test('a busy server is told in plain words, not by what waits in it', () => {
  const said = sentenceFor(503, '67 images wait to be decoded; this server lets 64 wait. Try again in a second.', 1);
  assert.match(said, /^The server is busy\./);
  assert.equal(sentenceFor(429, undefined, null), said);
});

test('what is wrong with an image or a model is told in the words of the server', () => {
  assert.equal(sentenceFor(422, 'The image is animated. Send one frame.', null), 'The image is animated. Send one frame.');
  assert.equal(sentenceFor(503, 'The model x cannot be loaded now.', null), 'The model x cannot be loaded now.');
});

test('a proxy without its server, and a refusal without a reason, are told in sentences', () => {
  for (const status of [502, 503, 504]) assert.match(sentenceFor(status, undefined, null), /^The server does not answer/);
  assert.match(sentenceFor(500, undefined, null), /500/);
});

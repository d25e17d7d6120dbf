import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStore } from '../../../static/js/store.js';
import { whenBack } from '../../../static/js/stream/when-back.js';

function watched() {
  const store = createStore();
  let calls = 0;
  const end = whenBack(store, () => calls++);
  return { go: (...ways) => ways.forEach((connection) => store.set({ connection })), calls: () => calls, end };
}

test('a server that is reached again is told once, however it was lost', () => {
  for (const lost of ['reconnecting', 'offline']) {
    for (const back of ['open', 'http']) {
      const { go, calls } = watched();
      go('open', lost, 'connecting');
      assert.equal(calls(), 0);
      go(back, back === 'open' ? 'http' : 'open');
      assert.equal(calls(), 1, `${lost}, then ${back}`);
    }
  }
});

test('the first connection, and that of another model, are not a return', () => {
  const { go, calls } = watched();
  go('open', 'connecting', 'open', 'http');
  assert.equal(calls(), 0);
});

test('nothing is told after the end', () => {
  const { go, calls, end } = watched();
  end();
  go('reconnecting', 'open');
  assert.equal(calls(), 0);
});

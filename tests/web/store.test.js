import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL, createStore } from '../../static/js/store.js';

test('a watcher is called for its keys only', () => {
  const store = createStore();
  const heard = [];
  store.watch(['panel', 'digits'], ({ panel, digits }) => heard.push([panel, digits]));
  store.set({ panel: 'draw' });
  store.set({ device: 'cpu' });
  store.set({ digits: 3, model: 'a' });
  assert.deepEqual(heard, [['point', 0], ['draw', 0], ['draw', 3]]);
});

test('setting an equal value calls no watcher', () => {
  const store = createStore();
  let calls = 0;
  store.watch(['panel'], () => calls++);
  store.set({ panel: 'point' });
  assert.equal(calls, 1, 'only the call at the beginning');
});

test('a watcher is not called after it has ended', () => {
  const store = createStore();
  let calls = 0;
  const end = store.watch(['panel'], () => calls++);
  end();
  store.set({ panel: 'path' });
  assert.equal(calls, 1);
});

test('a watcher may set the state, and all see the last one', () => {
  const store = createStore();
  const seen = [];
  store.watch(['panel'], ({ panel }) => panel === 'path' && store.set({ playing: true }));
  store.watch(['panel', 'playing'], ({ playing }) => seen.push(playing));
  store.set({ panel: 'path' });
  assert.equal(seen.at(-1), true);
});

test('two stores share nothing', () => {
  const one = createStore();
  one.set({ panel: 'learn' });
  assert.equal(createStore().get().panel, 'point');
  assert.equal(INITIAL.panel, 'point');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAYERS, changed } from '../../../static/js/map-layers.js';
import { DEFAULTS, digitsOf, fromQuery, toQuery, unknownIn } from '../../../static/js/url/query.js';

const STATE = { ...DEFAULTS, model: 'mnist-vae-2d' };

test('a query describes the state that it was made from', () => {
  const states = [
    { ...STATE, latent: [0.75, -0.35] },
    { ...STATE, latent: [0, 1e-4], panel: 'learn', digits: 0b1000010000 },
    { ...STATE, panel: 'path', path: { start: { image: 3 }, end: { image: 9999 }, kind: 'spherical' } },
    { ...STATE, path: { start: { latent: [1.5, -2] }, end: { image: 11 }, kind: 'linear' } },
    { ...STATE, panel: 'draw', testImage: 9999, noise: 0.55 },
    { ...STATE, panel: 'measures', testImage: 0, noise: 1, referenceModel: 'mnist-ae-2d' },
    { ...STATE, secondModel: 'mnist-ae-2d', link: 'coordinates', sampleSeed: 17, drawSource: 'fitted' },
    { ...STATE, panel: 'learn', lesson: 'beta-025' },
    { ...STATE, panel: 'vary', along: { attribute: 'stroke-width', amount: -0.25 } },
    { ...STATE, projection: 'umap' },
    { ...STATE, latent: [1, 2], along: { attribute: 'label-4', amount: 0 } },
    { ...STATE, framing: { u: 0.5, v: -1.234567, zoom: 812.5 } },
    { ...STATE, layers: changed(changed(LAYERS, 'density', { isOn: true }), 'codes', { isOn: false }) },
    { ...STATE, layers: changed(LAYERS, 'tiles', { opacity: 0.95 }), framing: { u: 0, v: 0, zoom: 1.5 } },
    { ...STATE, model: 'a model / with & signs', latent: Array.from({ length: 20 }, (_, i) => i / 8 - 1) },
  ];
  for (const state of states) {
    assert.deepEqual({ ...STATE, ...fromQuery(toQuery(state)) }, state);
  }
});

test('a query is short and readable', () => {
  const query = toQuery({ ...STATE, latent: [0.75, -0.35], panel: 'draw', digits: 1 << 4 });
  assert.equal(query, 'model=mnist-vae-2d&z=0.75,-0.35&panel=draw&digits=4');
});

test('a latent keeps four decimals, and has no negative zero', () => {
  assert.equal(toQuery({ ...STATE, model: '', latent: [1 / 3, -1e-9] }), 'z=0.3333,0');
});

test('invalid parts of a query are left out, and the rest applies', () => {
  const wrong = [
    'z=',
    'z=1',
    'z=1,x',
    'z=1,,2',
    'z=1e999,0',
    'z=NaN,0',
    'z=10001,0',
    'panel=nothing',
    'digits=4x',
    'walk=1~2',
    'walk=1~2~sideways',
    'walk=~2~linear',
    'walk=-1~2~linear',
    'at=1,2',
    'at=1,2,0',
    'at=1,2,-3',
    'at=1,,3',
    'at=NaN,2,3',
    'layers=nothing',
    'layers=tiles~0',
    'layers=tiles~101',
    'layers=tiles~x',
    'image=-1',
    'image=0.5',
    'image=1,2',
    'noise=2',
    'noise=-0.5',
    'noise=x',
    'twin=',
    'link=rope',
    'draws=0',
    'draws=-1',
    'draws=x',
    'from=nowhere',
    'lesson=Über',
  ];
  for (const query of wrong) {
    assert.deepEqual(fromQuery(`model=m&${query}`), { model: 'm' }, query);
  }
});

test('bits stand for digits', () => {
  assert.deepEqual(digitsOf(0), []);
  assert.deepEqual(digitsOf((1 << 0) | (1 << 4) | (1 << 9)), [0, 4, 9]);
});

test('default layers are left out, and the others have a short form', () => {
  const layers = changed(changed(LAYERS, 'density', { isOn: true }), 'prior', { isOn: false });
  assert.equal(toQuery({ ...STATE, layers }), 'model=mnist-vae-2d&layers=density,prior~off');
  assert.equal(toQuery({ ...STATE, layers: { ...LAYERS } }), 'model=mnist-vae-2d');
});

test('the unknown parts of a query are named, and no others', () => {
  assert.deepEqual(unknownIn('?model=m&z=1,2&layers=density,fog~10&mood=blue&panel=x'), [
    'layers=fog~10', 'mood=blue', 'panel=x',
  ]);
  assert.deepEqual(unknownIn(toQuery({ ...STATE, latent: [1, 2], digits: 3, framing: { u: 1, v: 2, zoom: 3 } })), []);
  assert.deepEqual(fromQuery('layers=density,fog~10').layers, changed(LAYERS, 'density', { isOn: true }));
});

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../../static/js');
const IMPORT = /^import \{[^}]*\} from '([^']+)';|await import\('([^']+)'\)/gm;
const TYPE = /import\('([^']+)'\)\.\w/g;

/** From the top: a module imports from its own layer and from those below it. */
const LAYERS = [
  ['main.js'],
  ['lazy-panels.js'],
  ['panels'],
  ['compare'],
  ['load-model.js', 'url'],
  ['map', 'stream'],
  ['store.js', 'api.js'],
  ['map-layers.js', 'latent'],
  ['lib'],
];
/** Folders that share a layer and are independent of each other. */
const APART = [['load-model.js', 'url'], ['map', 'stream'], ['store.js', 'api.js'], ['map-layers.js', 'latent']];

const files = readdirSync(ROOT, { recursive: true }).map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.js'));
const textOf = (file) => readFileSync(join(ROOT, file), 'utf8');
const found = (file, pattern) =>
  [...textOf(file).matchAll(pattern)].map((match) => posix.normalize(posix.join(dirname(file), match[1] ?? match[2])));
/** Every import that is executed; imports of types are not. */
const IMPORTS = files.flatMap((from) => found(from, IMPORT).map((to) => ({ from, to })));

const roomOf = (file) => file.split('/')[0];
const layerOf = (file) => LAYERS.findIndex((rooms) => rooms.includes(roomOf(file)));
const shown = (imports) => imports.map(({ from, to }) => `${from} imports ${to}`);

test('every module belongs to a layer, and the top folder has at most eight files', () => {
  assert.deepEqual(files.filter((file) => layerOf(file) < 0), []);
  const top = readdirSync(ROOT).filter((name) => name.includes('.'));
  assert.ok(top.length <= 8, `there are ${top.length}: ${top.join(', ')}`);
});

test('no module imports from a layer above its own', () => {
  assert.ok(IMPORTS.length > 150, 'imports are recognised');
  assert.deepEqual(shown(IMPORTS.filter(({ from, to }) => layerOf(to) < layerOf(from))), []);
});

test('rooms that share a layer do not import each other', () => {
  const isCrossing = ({ from, to }) =>
    roomOf(from) !== roomOf(to) && APART.some((rooms) => rooms.includes(roomOf(from)) && rooms.includes(roomOf(to)));
  assert.deepEqual(shown(IMPORTS.filter(isCrossing)), []);
});

test('imports have no cycles', () => {
  const reach = (file, path = []) => {
    if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(' -> ')];
    return IMPORTS.filter(({ from }) => from === file).flatMap(({ to }) => reach(to, [...path, file]));
  };
  assert.deepEqual([...new Set(files.flatMap((file) => reach(file)))], []);
});

test('lib imports nothing outside lib, not even a type', () => {
  const inLib = files.filter((file) => roomOf(file) === 'lib');
  const named = inLib.flatMap((from) => [...found(from, IMPORT), ...found(from, TYPE)].map((to) => ({ from, to })));
  assert.deepEqual(shown(named.filter(({ to }) => roomOf(to) !== 'lib')), []);
});

test('latent has no DOM, except where the plane follows the point', () => {
  const isFree = (file) => !/\b(document|window|HTML\w*Element|SVG\w*Element|querySelector|canvas)\b/.test(textOf(file));
  const touching = files.filter((file) => roomOf(file) === 'latent' && !file.endsWith('/follow-point.js') && !isFree(file));
  assert.deepEqual(touching, []);
});

test('only api.js makes requests', () => {
  assert.deepEqual(files.filter((file) => /\b(fetch|new WebSocket)\(/.test(textOf(file))), ['api.js']);
});

test('panels never import each other, and each part of a panel belongs to one', () => {
  const mounted = IMPORTS.filter(({ from, to }) => ['main.js', 'lazy-panels.js'].includes(from) && roomOf(to) === 'panels')
    .map(({ to }) => to);
  const within = IMPORTS.filter(({ from, to }) => roomOf(from) === 'panels' && roomOf(to) === 'panels');
  assert.deepEqual(shown(within.filter(({ to }) => mounted.includes(to))), []);
  const ownersOf = (part) => {
    if (mounted.includes(part)) return [part];
    return [...new Set(within.filter(({ to }) => to === part).flatMap(({ from }) => ownersOf(from)))];
  };
  const strays = files.filter((file) => roomOf(file) === 'panels' && ownersOf(file).length !== 1)
    .map((file) => `${basename(file)} belongs to ${ownersOf(file).map((owner) => basename(owner)).join(' and ') || 'none'}`);
  assert.deepEqual(strays, []);
});

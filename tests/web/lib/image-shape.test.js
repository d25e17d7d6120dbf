import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isColour, isSame, longestOf, numbersOf, shortestOf, sizeOf } from '../../../static/js/lib/image-shape.js';

const GREY = { height: 28, width: 28, channels: 1 };
const WIDE = { height: 48, width: 64, channels: 3 };

test('a shape says how many numbers an image has, and its sides', () => {
  assert.deepEqual([numbersOf(GREY), numbersOf(WIDE)], [784, 9216]);
  assert.deepEqual([isColour(GREY), isColour(WIDE)], [false, true]);
  assert.deepEqual([longestOf(WIDE), shortestOf(WIDE)], [64, 48]);
  assert.ok(isSame(WIDE, { ...WIDE }) && !isSame(WIDE, GREY));
});

test('an image is enlarged to a longer side in its own proportions', () => {
  assert.deepEqual(sizeOf(WIDE, 128), { width: 128, height: 96 });
  assert.deepEqual(sizeOf({ ...WIDE, height: 128 }, 64), { width: 32, height: 64 });
});

test('no size of images is written into the page', () => {
  const folder = new URL('../../../static/js/', import.meta.url);
  const scripts = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.js'));
  const found = scripts.flatMap((name) => {
    const lines = readFileSync(new URL(name, folder), 'utf8').split('\n');
    return lines.filter((line) => /(?<![#"\w.])(28|784)(?![\w."])/.test(line)).map((line) => `${name}: ${line.trim()}`);
  });
  assert.deepEqual(found, []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  covering, cutOf, DEEPEST, keyOf, levelAt, needed, piecesFor, scaleOf, tileSide,
} from '../../../static/js/map/tile-grid.js';

const TILE = 224;
const EXTENT = { u0: -4, v0: -3, u1: 4, v1: 5 };
const BOXES = [
  { u0: -4, v0: -3, u1: 4, v1: 5 },
  { u0: -0.3, v0: 0.1, u1: 0.9, v1: 0.8 },
  { u0: 3.9, v0: -2.95, u1: 9, v1: 7 },
  { u0: -100, v0: -100, u1: 100, v1: 100 },
];
const loaded = (...keys) => (tile) => keys.includes(keyOf(tile));

/** The part of the plane that a tile shows. */
function boxOf({ level, x, y }) {
  const side = 8 / 2 ** level;
  return { u0: -4 + x * side, v0: 5 - (y + 1) * side, u1: -4 + (x + 1) * side, v1: 5 - y * side };
}

test('tiles are numbered from the corner of least u and greatest v, and y grows downwards', () => {
  assert.deepEqual(covering({ u0: -3.9, v0: 4.8, u1: -3.8, v1: 4.9 }, 2, EXTENT), [{ level: 2, x: 0, y: 0 }]);
  assert.deepEqual(covering({ u0: 2.1, v0: -2.9, u1: 3.9, v1: -1.1 }, 2, EXTENT), [{ level: 2, x: 3, y: 3 }]);
});

test('the level is the one whose tiles are nearest to their own size', () => {
  for (let level = 0; level <= DEEPEST; level++) {
    const scale = scaleOf(level, EXTENT, TILE);
    assert.equal(levelAt(scale, EXTENT, TILE), level);
    assert.equal(levelAt(scale * 1.4, EXTENT, TILE), level);
    assert.equal(levelAt(scale / 1.4, EXTENT, TILE), level);
    const box = boxOf({ level, x: 0, y: 0 });
    assert.ok(Math.abs(scale * (box.u1 - box.u0) - TILE) < 1e-9);
  }
  assert.equal(levelAt(1e-3, EXTENT, TILE), 0);
  assert.equal(levelAt(1e9, EXTENT, TILE), DEEPEST);
});

test('a tile has square cells as long as the longer side of an image', () => {
  assert.equal(tileSide({ cells: 8 }, { height: 28, width: 28, channels: 1 }), 224);
  assert.equal(tileSide({ cells: 4 }, { height: 48, width: 64, channels: 3 }), 256);
});

test('covering a box takes every tile that meets it, and no other', () => {
  for (const box of BOXES) {
    for (const level of [0, 1, 3, 5]) {
      const found = new Set(covering(box, level, EXTENT).map(keyOf));
      for (let x = 0; x < 2 ** level; x++) {
        for (let y = 0; y < 2 ** level; y++) {
          const tile = boxOf({ level, x, y });
          const meets = tile.u0 < box.u1 && tile.u1 > box.u0 && tile.v0 < box.v1 && tile.v1 > box.v0;
          assert.equal(found.has(keyOf({ level, x, y })), meets, `${level}/${x}/${y} of ${JSON.stringify(box)}`);
        }
      }
    }
  }
});

test('a box outside the plane needs no tiles', () => {
  assert.deepEqual(covering({ u0: 5, v0: 0, u1: 6, v1: 1 }, 4, EXTENT), []);
});

test('tiles come from the middle outwards', () => {
  const box = { u0: -2, v0: -2, u1: 2.2, v1: 4 };
  const far = (tile) => {
    const { u0, u1, v0, v1 } = boxOf(tile);
    return Math.hypot((u0 + u1) / 2 - 0.1, (v0 + v1) / 2 - 1);
  };
  const distances = covering(box, 4, EXTENT).map(far).map((d) => Math.round(1e6 * d));
  assert.deepEqual(distances, distances.toSorted((a, b) => a - b));
});

test('the tile that can replace all others is requested first, and once', () => {
  const keys = needed(BOXES[1], scaleOf(5, EXTENT, TILE), EXTENT, TILE).map(keyOf);
  assert.equal(keys[0], '0/0/0');
  assert.equal(new Set(keys).size, keys.length);
  assert.deepEqual(needed(BOXES[0], 1, EXTENT, TILE).map(keyOf), ['0/0/0']);
});

test('a loaded tile is drawn itself', () => {
  const tile = { level: 3, x: 5, y: 2 };
  assert.deepEqual(piecesFor(tile, loaded('3/5/2', '4/10/4', '0/0/0')), [{ place: tile, source: tile }]);
});

test('a missing tile is replaced by the same part of the nearest coarser one', () => {
  const place = { level: 5, x: 21, y: 10 };
  const [piece] = piecesFor(place, loaded('0/0/0', '2/2/1', '5/20/10'));
  assert.deepEqual(piece, { place, source: { level: 2, x: 2, y: 1 } });
  const cut = cutOf(piece, TILE);
  const source = boxOf(piece.source);
  const part = boxOf(place);
  const perPixel = (source.u1 - source.u0) / TILE;
  assert.equal(source.u0 + cut.x * perPixel, part.u0);
  assert.equal(source.v1 - cut.y * perPixel, part.v1);
  assert.equal(cut.side * perPixel, part.u1 - part.u0);
});

test('after zooming out finer tiles stay, and nothing is drawn twice', () => {
  const pieces = piecesFor({ level: 3, x: 1, y: 1 }, loaded('4/2/2', '4/3/3', '1/0/0'));
  assert.deepEqual(
    pieces.map(({ place, source }) => [keyOf(place), keyOf(source)]),
    [['4/2/2', '4/2/2'], ['4/3/2', '1/0/0'], ['4/2/3', '1/0/0'], ['4/3/3', '4/3/3']],
  );
});

test('with the root tile loaded, no place is blank', () => {
  for (const level of [1, 4, 8]) {
    for (const tile of covering(BOXES[1], level, EXTENT)) {
      assert.equal(piecesFor(tile, loaded('0/0/0')).length, 1);
      assert.equal(piecesFor(tile, loaded()).length, 0);
    }
  }
});

/**
 * The tiles of a plane: which of them a view needs, in which order, and what replaces one that has not loaded. Pure
 * mathematics, no DOM.
 *
 * At level n the plane's extent is divided into 2^n x 2^n tiles, x to the right and y down from the top left.
 *
 * @typedef {import('../latent/box.js').Box} Box
 * @typedef {import('../latent/plane.js').Plane} Plane
 *
 * @typedef {object} Tile
 * @property {number} level
 * @property {number} x
 * @property {number} y
 *
 * @typedef {object} Piece  a part of the plane and the tile that shows it, its own or a coarser one
 * @property {Tile} place
 * @property {Tile} source
 */
import { longestOf } from '../lib/image-shape.js';


/** The deepest level that the server decodes. */
export const DEEPEST = 8;

/** @type {(plane: Pick<Plane, 'extent'>) => Box} */
export const extentOf = ({ extent: [[u0, v0], [u1, v1]] }) => ({ u0, v0, u1, v1 });

/**
 * Return a tile's side in its own pixels, with square cells.
 *
 * @type {(plane: Pick<Plane, 'cells'>, shape: import('../lib/image-shape.js').ImageShape) => number}
 */
export const tileSide = ({ cells }, shape) => cells * longestOf(shape);

/** @type {(tile: Tile) => string} */
export const keyOf = ({ level, x, y }) => `${level}/${x}/${y}`;

/**
 * Return the level whose tiles are nearest to their own size on the screen: a pixel of an image is 0.7 to 1.4 CSS pixels
 * wide. CSS pixels count even on a dense screen, where a deeper level would show smaller images.
 *
 * @param {number} scale  CSS pixels per latent unit
 * @param {Box} extent
 * @param {number} side  of a tile in its own pixels
 */
export function levelAt(scale, extent, side) {
  const level = Math.round(Math.log2((scale * (extent.u1 - extent.u0)) / side));
  return Math.min(DEEPEST, Math.max(0, level));
}

/**
 * Return the scale at which a level's tiles have their own size.
 *
 * @param {number} level
 * @param {Box} extent
 * @param {number} side  of a tile in its own pixels
 */
export const scaleOf = (level, extent, side) => (side * 2 ** level) / (extent.u1 - extent.u0);

/**
 * Return the tiles of one level that cover a box of the plane, those nearest to its middle first.
 *
 * @param {Box} box
 * @param {number} level
 * @param {Box} extent
 * @returns {Tile[]}
 */
export function covering(box, level, extent) {
  const count = 2 ** level;
  const width = (extent.u1 - extent.u0) / count;
  const height = (extent.v1 - extent.v0) / count;
  const left = (box.u0 - extent.u0) / width;
  const right = (box.u1 - extent.u0) / width;
  const top = (extent.v1 - box.v1) / height;
  const bottom = (extent.v1 - box.v0) / height;
  /** @type {Tile[]} */
  const tiles = [];
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(count, Math.ceil(bottom)); y++) {
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(count, Math.ceil(right)); x++) tiles.push({ level, x, y });
  }
  /** @type {(tile: Tile) => number} */
  const distance = ({ x, y }) => Math.hypot(x + 0.5 - (left + right) / 2, y + 0.5 - (top + bottom) / 2);
  return tiles.sort((a, b) => distance(a) - distance(b));
}

/** @type {(tile: Tile, levels: number) => Tile} */
const above = ({ level, x, y }, levels) => ({ level: level - levels, x: x >> levels, y: y >> levels });

/** @type {(tile: Tile) => Tile[]} */
const below = ({ level, x, y }) =>
  [0, 1, 2, 3].map((n) => ({ level: level + 1, x: 2 * x + (n & 1), y: 2 * y + (n >> 1) }));

/**
 * Return what to draw in a tile's place: the tile; else those of its quarters that have loaded, and for the others
 * the nearest coarser tile. The pieces never overlap, so they may be transparent.
 *
 * @param {Tile} tile
 * @param {(tile: Tile) => boolean} has  whether a tile has loaded
 * @returns {Piece[]}
 */
export function piecesFor(tile, has) {
  if (has(tile)) return [{ place: tile, source: tile }];
  const quarters = below(tile);
  if (tile.level < DEEPEST && quarters.some(has)) return quarters.flatMap((quarter) => standIn(quarter, has));
  return standIn(tile, has);
}

/** @type {(tile: Tile, has: (tile: Tile) => boolean) => Piece[]} */
function standIn(place, has) {
  for (let levels = 0; levels <= place.level; levels++) {
    const source = above(place, levels);
    if (has(source)) return [{ place, source }];
  }
  return [];
}

/**
 * Return the part of its source that a piece shows, in the source's pixels.
 *
 * @param {Piece} piece
 * @param {number} tile  side of a tile in its own pixels
 */
export function cutOf({ place, source }, tile) {
  const parts = 2 ** (place.level - source.level);
  const side = tile / parts;
  return { x: (place.x - source.x * parts) * side, y: (place.y - source.y * parts) * side, side };
}

/**
 * Return the tiles that a view needs, the most urgent first: the whole plane in one tile, which can replace any
 * other, then the tiles of the view's level from the middle outwards.
 *
 * @param {Box} box
 * @param {number} scale
 * @param {Box} extent
 * @param {number} side  of a tile in its own pixels
 * @returns {Tile[]}
 */
export function needed(box, scale, extent, side) {
  const level = levelAt(scale, extent, side);
  const root = { level: 0, x: 0, y: 0 };
  return level ? [root, ...covering(box, level, extent)] : [root];
}

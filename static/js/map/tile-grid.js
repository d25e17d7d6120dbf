/**
 * The plane's images in tiles: which of them a view needs, in which order, and what stands in for one that has not
 * arrived. Pure mathematics, no DOM.
 *
 * At level n the plane's extent is cut into 2^n x 2^n tiles, x to the right and y down from the top left.
 *
 * @typedef {import('../latent/box.js').Box} Box
 * @typedef {import('../latent/plane.js').Plane} Plane
 *
 * @typedef {object} Tile
 * @property {number} level
 * @property {number} x
 * @property {number} y
 *
 * @typedef {object} Piece  a part of the plane, and the tile that shows it: itself, or one that is coarser
 * @property {Tile} place
 * @property {Tile} source
 */

/** A tile's side, in its own pixels: 8 images of 28. */
export const TILE = 224;
/** The deepest level that the server decodes. */
export const DEEPEST = 8;

/** @type {(plane: Pick<Plane, 'extent'>) => Box} */
export const extentOf = ({ extent: [[u0, v0], [u1, v1]] }) => ({ u0, v0, u1, v1 });

/** @type {(tile: Tile) => string} */
export const keyOf = ({ level, x, y }) => `${level}/${x}/${y}`;

/**
 * The level whose tiles come nearest to their own size on the screen: its images are between 20 and 40 pixels wide.
 * Pixels are CSS pixels, as an image is there to be seen: on a dense screen, sharper tiles would show smaller images.
 *
 * @param {number} scale  CSS pixels per latent unit
 * @param {Box} extent
 */
export function levelAt(scale, extent) {
  const level = Math.round(Math.log2((scale * (extent.u1 - extent.u0)) / TILE));
  return Math.min(DEEPEST, Math.max(0, level));
}

/**
 * The scale at which a level's tiles are shown pixel for pixel.
 *
 * @param {number} level
 * @param {Box} extent
 */
export const scaleOf = (level, extent) => (TILE * 2 ** level) / (extent.u1 - extent.u0);

/**
 * The part of the plane that a tile shows.
 *
 * @param {Tile} tile
 * @param {Box} extent
 * @returns {Box}
 */
export function boxOfTile({ level, x, y }, extent) {
  const width = (extent.u1 - extent.u0) / 2 ** level;
  const height = (extent.v1 - extent.v0) / 2 ** level;
  const u0 = extent.u0 + x * width;
  const v1 = extent.v1 - y * height;
  return { u0, v0: v1 - height, u1: u0 + width, v1 };
}

/**
 * The tiles of one level that a box of the plane needs, those nearest to its middle first.
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
  const far = ({ x, y }) => Math.hypot(x + 0.5 - (left + right) / 2, y + 0.5 - (top + bottom) / 2);
  return tiles.sort((a, b) => far(a) - far(b));
}

/** @type {(tile: Tile, levels: number) => Tile} */
const above = ({ level, x, y }, levels) => ({ level: level - levels, x: x >> levels, y: y >> levels });

/** @type {(tile: Tile) => Tile[]} */
const below = ({ level, x, y }) =>
  [0, 1, 2, 3].map((n) => ({ level: level + 1, x: 2 * x + (n & 1), y: 2 * y + (n >> 1) }));

/**
 * What to draw in a tile's place: itself; else those of its four quarters that are there, and for the rest the
 * nearest coarser tile. The pieces never overlap, so that they may be transparent.
 *
 * @param {Tile} tile
 * @param {(tile: Tile) => boolean} has
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
 * Which part of its source a piece shows, in the source's pixels.
 *
 * @param {Piece} piece
 */
export function cutOf({ place, source }) {
  const parts = 2 ** (place.level - source.level);
  const side = TILE / parts;
  return { x: (place.x - source.x * parts) * side, y: (place.y - source.y * parts) * side, side };
}

/**
 * What a view needs, the most urgent first: the whole plane in one tile, which can stand in for any other, then the
 * tiles of its level from the middle outwards.
 *
 * @param {Box} box
 * @param {number} scale
 * @param {Box} extent
 * @returns {Tile[]}
 */
export function needed(box, scale, extent) {
  const level = levelAt(scale, extent);
  const root = { level: 0, x: 0, y: 0 };
  return level ? [root, ...covering(box, level, extent)] : [root];
}

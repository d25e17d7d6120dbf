/**
 * How many codes lie in a box of the plane, counted on a grid. No DOM.
 *
 * @typedef {import('./atlas.js').Atlas} Atlas
 * @typedef {import('./box.js').Box} Box
 */

const CELLS = 64;

/**
 * Count the codes in the atlas's view once, so that boxes are looked up in four additions. A box counts as all cells
 * that it touches.
 *
 * @param {Pick<Atlas, 'feet' | 'view'>} atlas
 * @returns {(box: Box) => number}
 */
export function createCodeCounts({ feet, view }) {
  const { u0, v0, u1, v1 } = view;
  const side = CELLS + 1;
  /** The number of codes below and left of each corner of the grid. */
  const sums = new Uint32Array(side * side);
  for (let i = 0; i < feet.length; i += 2) {
    const column = Math.floor(((feet[i] - u0) / (u1 - u0)) * CELLS);
    const row = Math.floor(((feet[i + 1] - v0) / (v1 - v0)) * CELLS);
    if (column < 0 || row < 0 || column >= CELLS || row >= CELLS) continue;
    sums[(row + 1) * side + column + 1] += 1;
  }
  for (let row = 1; row < side; row++) {
    for (let column = 1; column < side; column++) {
      const at = row * side + column;
      sums[at] += sums[at - 1] + sums[at - side] - sums[at - side - 1];
    }
  }
  /** @type {(part: number, round: (value: number) => number) => number} */
  const corner = (part, round) => Math.min(CELLS, Math.max(0, round(part * CELLS)));
  return (box) => {
    const left = corner((box.u0 - u0) / (u1 - u0), Math.floor);
    const right = corner((box.u1 - u0) / (u1 - u0), Math.ceil);
    const below = corner((box.v0 - v0) / (v1 - v0), Math.floor) * side;
    const above = corner((box.v1 - v0) / (v1 - v0), Math.ceil) * side;
    return sums[above + right] - sums[above + left] - sums[below + right] + sums[below + left];
  };
}

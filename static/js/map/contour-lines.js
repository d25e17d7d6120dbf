/**
 * Lines of equal height through a grid of numbers, by marching squares. No DOM.
 *
 * @typedef {[number, number, number, number]} Segment  x0, y0, x1, y1 in cells; a number lies in the middle of its cell
 */
import { roundLength } from '../lib/round-numbers.js';

/** Pairs of edges that a line joins, by the bits of the high corners. Edges: top 0, right 1, bottom 2, left 3. */
const JOINED = [
  [], [3, 0], [0, 1], [3, 1], [1, 2], [3, 0, 1, 2], [0, 2], [3, 2],
  [2, 3], [2, 0], [0, 1, 2, 3], [2, 1], [1, 3], [1, 0], [0, 3], [],
];

/**
 * Return the line of one level.
 *
 * @param {readonly (readonly number[])[]} rows  top row first
 * @param {number} level
 * @returns {Segment[]}
 */
export function contourOf(rows, level) {
  /** @type {Segment[]} */
  const segments = [];
  for (let y = 0; y + 1 < rows.length; y++) {
    for (let x = 0; x + 1 < rows[y].length; x++) {
      const corners = [rows[y][x], rows[y][x + 1], rows[y + 1][x + 1], rows[y + 1][x]];
      const high = corners.reduce((bits, value, i) => bits | (Number(value >= level) << i), 0);
      const edges = JOINED[high];
      for (let i = 0; i < edges.length; i += 2) {
        segments.push([...crossing(edges[i], corners, level, x, y), ...crossing(edges[i + 1], corners, level, x, y)]);
      }
    }
  }
  return segments;
}

/**
 * Return where the level crosses an edge.
 *
 * @type {(edge: number, corners: readonly number[], level: number, x: number, y: number) => [number, number]}
 */
function crossing(edge, corners, level, x, y) {
  const [a, b] = [corners[edge], corners[(edge + 1) % 4]];
  const part = (level - a) / (b - a);
  const [left, top] = [x + 0.5, y + 0.5];
  if (edge === 0) return [left + part, top];
  if (edge === 1) return [left + 1, top + part];
  if (edge === 2) return [left + 1 - part, top + 1];
  return [left, top + 1 - part];
}

/**
 * Return round levels from above 0 up to a greatest number.
 *
 * @param {number} greatest
 * @param {number} count  at least this many, and a few more
 * @returns {number[]}
 */
export function levelsUpTo(greatest, count) {
  const step = roundLength(greatest / count);
  return Array.from({ length: Math.floor(greatest / step) }, (_, i) => (i + 1) * step);
}

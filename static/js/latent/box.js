/**
 * Boxes of a plane, in latent units. Pure mathematics, no DOM.
 *
 * @typedef {{u: number, v: number}} Point
 * @typedef {{u0: number, v0: number, u1: number, v1: number}} Box  u0 < u1, v0 < v1
 */

/**
 * Return the smallest box that holds a box and a point.
 *
 * @param {Box} box
 * @param {Point} point
 * @returns {Box}
 */
export function including(box, { u, v }) {
  return {
    u0: Math.min(box.u0, u),
    v0: Math.min(box.v0, v),
    u1: Math.max(box.u1, u),
    v1: Math.max(box.v1, v),
  };
}

/** @type {(box: Box, point: Point) => boolean} */
export const contains = ({ u0, v0, u1, v1 }, { u, v }) => u >= u0 && u <= u1 && v >= v0 && v <= v1;

/**
 * Return the point of a box that is nearest to a point.
 *
 * @param {Box} box
 * @param {Point} point
 * @returns {Point}
 */
export function clamp(box, { u, v }) {
  return {
    u: Math.min(box.u1, Math.max(box.u0, u)),
    v: Math.min(box.v1, Math.max(box.v0, v)),
  };
}

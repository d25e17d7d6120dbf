/**
 * The tour of the ring until somebody touches it. Pure mathematics, no DOM.
 *
 * @typedef {import('../latent/box.js').Point} Point
 */

/** Duration of one tour. */
export const TOUR_MILLISECONDS = 26_000;

/**
 * Return a point of a closed Catmull-Rom curve that starts at the first place and visits all in order.
 *
 * @param {readonly Point[]} places  at least one
 * @param {number} elapsed  milliseconds since the start
 * @returns {Point}
 */
export function tourAt(places, elapsed) {
  const n = places.length;
  const t = ((elapsed / TOUR_MILLISECONDS) % 1) * n;
  const i = Math.floor(t);
  const [a, b, c, d] = [-1, 0, 1, 2].map((k) => places[(i + k + n) % n]);
  return {
    u: catmullRom(a.u, b.u, c.u, d.u, t - i),
    v: catmullRom(a.v, b.v, c.v, d.v, t - i),
  };
}

/**
 * Return the places sorted by direction from their mean, so that the tour does not cross itself.
 *
 * @param {readonly Point[]} places
 * @returns {Point[]}
 */
export function roundTrip(places) {
  const u = places.reduce((sum, p) => sum + p.u, 0) / places.length;
  const v = places.reduce((sum, p) => sum + p.v, 0) / places.length;
  return [...places].sort((a, b) => Math.atan2(a.v - v, a.u - u) - Math.atan2(b.v - v, b.u - u));
}

/** @type {(a: number, b: number, c: number, d: number, t: number) => number} */
const catmullRom = (a, b, c, d, t) =>
  b + (t / 2) * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));

/**
 * The gentle walk that the ring takes until somebody touches it. Pure mathematics, no DOM.
 *
 * @typedef {import('../latent/box.js').Point} Point
 */

/** Once around, in milliseconds. */
const ROUND = 26_000;

/**
 * A smooth closed curve that visits some places in order and starts at the first.
 *
 * @param {readonly Point[]} places  at least one
 * @param {number} elapsed  milliseconds
 * @returns {Point}
 */
export function tourAt(places, elapsed) {
  const n = places.length;
  const t = ((elapsed / ROUND) % 1) * n;
  const i = Math.floor(t);
  const [a, b, c, d] = [-1, 0, 1, 2].map((k) => places[(i + k + n) % n]);
  return {
    u: catmullRom(a.u, b.u, c.u, d.u, t - i),
    v: catmullRom(a.v, b.v, c.v, d.v, t - i),
  };
}

/**
 * The places in the order of their direction from their middle, so that a walk does not cross itself.
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

/**
 * A plane in latent space, and what of a latent can be seen in it. Pure mathematics, no DOM.
 *
 * latent = origin + u axes[0] + v axes[1], the axes orthonormal. A latent may lie off the plane (the code
 * of a drawn image does, in 20 dimensions): it is shown at its foot (u, v), and moving it keeps its height.
 *
 * @typedef {import('./box.js').Point} Point
 * @typedef {import('./box.js').Box} Box
 * @typedef {readonly number[]} Latent
 *
 * @typedef {object} Plane
 * @property {string} id
 * @property {string} title
 * @property {Latent} origin
 * @property {readonly [Latent, Latent]} axes
 * @property {readonly [readonly [number, number], readonly [number, number]]} extent
 * @property {string} version  for the addresses of its tiles and fields
 */

/**
 * The point of the plane nearest to a latent.
 *
 * @param {Plane} plane
 * @param {ArrayLike<number>} latent
 * @param {number} [offset]  where the latent starts in the array
 * @returns {Point}
 */
export function footOf({ origin, axes: [a, b] }, latent, offset = 0) {
  let u = 0;
  let v = 0;
  for (let i = 0; i < origin.length; i++) {
    const d = latent[offset + i] - origin[i];
    u += d * a[i];
    v += d * b[i];
  }
  return { u, v };
}

/**
 * The latent at a point of the plane.
 *
 * @param {Plane} plane
 * @param {Point} point
 * @returns {number[]}
 */
export function latentAt({ origin, axes: [a, b] }, { u, v }) {
  return origin.map((o, i) => o + u * a[i] + v * b[i]);
}

/**
 * Move a latent so that its foot is at a point; its height over the plane stays.
 *
 * @param {Plane} plane
 * @param {Latent} latent
 * @param {Point} point
 * @returns {number[]}
 */
export function movedTo(plane, latent, point) {
  const foot = footOf(plane, latent);
  const [a, b] = plane.axes;
  return latent.map((z, i) => z + (point.u - foot.u) * a[i] + (point.v - foot.v) * b[i]);
}

/**
 * The parallel plane parallelThrough a latent; the plane itself when the latent lies in it.
 *
 * @param {Plane} plane
 * @param {Latent} latent
 * @returns {Plane}
 */
export function parallelThrough(plane, latent) {
  const foot = latentAt(plane, footOf(plane, latent));
  return { ...plane, origin: plane.origin.map((o, i) => o + latent[i] - foot[i]) };
}

/**
 * How far a latent lies from the plane.
 *
 * @param {Plane} plane
 * @param {Latent} latent
 */
export function heightOf(plane, latent) {
  const foot = latentAt(plane, footOf(plane, latent));
  return Math.hypot(...latent.map((z, i) => z - foot[i]));
}

/**
 * The ellipse of one standard deviation of a Gaussian, seen in the plane.
 *
 * @typedef {object} Ellipse
 * @property {number} major  half-axes, latent units
 * @property {number} minor
 * @property {number} angle  of the major axis to u, radians, counter-clockwise with v upwards
 *
 * @param {Plane} plane
 * @param {readonly Latent[]} covariance  D x D
 * @returns {Ellipse}
 */
export function ellipseOf({ axes: [a, b] }, covariance) {
  const uu = form(a, covariance, a);
  const uv = form(a, covariance, b);
  const vv = form(b, covariance, b);
  const mean = (uu + vv) / 2;
  const spread = Math.hypot((uu - vv) / 2, uv);
  return {
    major: Math.sqrt(mean + spread),
    minor: Math.sqrt(Math.max(0, mean - spread)),
    angle: Math.atan2(2 * uv, uu - vv) / 2,
  };
}

/** @type {(a: Latent, matrix: readonly Latent[], b: Latent) => number} */
const form = (a, matrix, b) =>
  a.reduce((sum, ai, i) => sum + ai * matrix[i].reduce((s, m, j) => s + m * b[j], 0), 0);

/**
 * The name under which the server knows any plane: its origin and axes, written out.
 *
 * @param {Pick<Plane, 'origin' | 'axes'>} plane
 */
export function planeIdOf({ origin, axes }) {
  const bytes = new Uint8Array(Float32Array.from([...origin, ...axes[0], ...axes[1]]).buffer);
  const text = btoa(String.fromCharCode(...bytes));
  return `at-${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/**
 * The plane itself, or the one parallel to it, parallelThrough a latent.
 *
 * @param {Plane} plane
 * @param {Latent} latent
 * @returns {Plane}
 */
export function sliceThrough(plane, latent) {
  if (heightOf(plane, latent) < MIN_HEIGHT) return plane;
  const slice = parallelThrough(plane, latent);
  return { ...slice, id: planeIdOf(slice) };
}

/** Nearer to the plane than this, nobody could see that a latent is off it. */
export const MIN_HEIGHT = 0.005;

/**
 * The plane parallelThrough up to three latents. Where they leave a direction open, or all but open, the spare ones close it.
 *
 * @param {readonly Latent[]} latents  at least one
 * @param {readonly Latent[]} spare  orthonormal, at least two
 * @returns {Pick<Plane, 'origin' | 'axes'>}
 */
export function planeThrough([origin, ...others], spare) {
  /** @type {number[][]} */
  const axes = [];
  const ways = others.map((latent) => latent.map((z, i) => z - origin[i]));
  for (const way of [...ways, ...spare]) {
    if (axes.length === 2) break;
    let rest = [...way];
    for (const axis of axes) {
      const along = dot(rest, axis);
      rest = rest.map((z, i) => z - along * axis[i]);
    }
    const length = Math.hypot(...rest);
    if (length > 1e-3 * Math.hypot(...way)) axes.push(rest.map((z) => z / length));
  }
  return { origin, axes: [axes[0], axes[1]] };
}

/**
 * How much of a number of the latent a slice can change: 1 if it stands at right angles to the plane, 0 if it lies in it.
 *
 * @type {(plane: Plane, index: number) => number}
 */
export const freedomOf = ({ axes: [a, b] }, index) => 1 - a[index] ** 2 - b[index] ** 2;

/**
 * Give a number of a latent a value by going straight away from the plane: its foot stays.
 *
 * @param {Plane} plane
 * @param {Latent} latent
 * @param {number} index
 * @param {number} value
 * @returns {number[]}
 */
export function withCoordinate(plane, latent, index, value) {
  const [a, b] = plane.axes;
  const step = (value - latent[index]) / freedomOf(plane, index);
  return latent.map((z, i) => z + step * (Number(i === index) - a[index] * a[i] - b[index] * b[i]));
}

/** @type {(a: Latent, b: Latent) => number} */
const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

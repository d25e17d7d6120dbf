/**
 * A plane in latent space, and latents projected onto it. Pure mathematics, no DOM.
 *
 * latent = origin + u axes[0] + v axes[1], with orthonormal axes. A latent may lie off the plane, as the code of a
 * drawn image does in 20 dimensions. It is shown at its foot (u, v), its orthogonal projection; moving it keeps its
 * height, the distance from the plane.
 *
 * @typedef {import('./box.js').Point} Point
 * @typedef {readonly number[]} Latent
 *
 * @typedef {object} Plane
 * @property {string} id
 * @property {string} title
 * @property {Latent} origin
 * @property {readonly [Latent, Latent]} axes
 * @property {readonly [readonly [number, number], readonly [number, number]]} extent
 * @property {number} cells  images on a side of its tiles
 * @property {string} version  for the URLs of its tiles and fields
 */

/**
 * Return the foot of a latent: the point of the plane nearest to it.
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
 * Return the latent at a point of the plane.
 *
 * @param {Plane} plane
 * @param {Point} point
 * @returns {number[]}
 */
export function latentAt({ origin, axes: [a, b] }, { u, v }) {
  return origin.map((o, i) => o + u * a[i] + v * b[i]);
}

/**
 * Return a latent moved so that its foot is at a point; its offset from the plane stays.
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
 * Return the parallel plane through a latent.
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
 * Return the distance of a latent from the plane.
 *
 * @param {Plane} plane
 * @param {Latent} latent
 */
export function heightOf(plane, latent) {
  const foot = latentAt(plane, footOf(plane, latent));
  return Math.hypot(...latent.map((z, i) => z - foot[i]));
}

/**
 * Return the ellipse of one standard deviation of a Gaussian, projected onto the plane.
 *
 * @typedef {object} Ellipse
 * @property {number} major  half-axis, latent units
 * @property {number} minor
 * @property {number} angle  from u to the major axis, radians, counter-clockwise with v upwards
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
 * Return the id by which the server knows any plane: its origin and axes as base64.
 *
 * @param {Pick<Plane, 'origin' | 'axes'>} plane
 */
export function planeIdOf({ origin, axes }) {
  const bytes = new Uint8Array(Float32Array.from([...origin, ...axes[0], ...axes[1]]).buffer);
  const text = btoa(String.fromCharCode(...bytes));
  return `at-${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/**
 * Return the parallel plane through a latent, with its id; the plane itself if the latent lies in it.
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

/** A latent nearer to the plane than this counts as lying in it: the difference is not visible. */
export const MIN_HEIGHT = 0.005;

/**
 * Return the plane through up to three latents, by Gram-Schmidt. Spare directions replace those that are missing or
 * nearly parallel.
 *
 * @param {readonly Latent[]} latents  at least one
 * @param {readonly Latent[]} spare  orthonormal, at least two
 * @returns {Pick<Plane, 'origin' | 'axes'>}
 */
export function planeThrough([origin, ...others], spare) {
  /** @type {number[][]} */
  const axes = [];
  const directions = others.map((latent) => latent.map((z, i) => z - origin[i]));
  for (const direction of [...directions, ...spare]) {
    if (axes.length === 2) break;
    let rest = [...direction];
    for (const axis of axes) {
      const along = dot(rest, axis);
      rest = rest.map((z, i) => z - along * axis[i]);
    }
    const length = Math.hypot(...rest);
    if (length > 1e-3 * Math.hypot(...direction)) axes.push(rest.map((z) => z / length));
  }
  return { origin, axes: [axes[0], axes[1]] };
}

/**
 * Return how far a number of the latent can change off the plane: 1 if its direction is orthogonal to the plane, 0 if
 * it lies in the plane.
 *
 * @type {(plane: Plane, index: number) => number}
 */
export const freedomOf = ({ axes: [a, b] }, index) => 1 - a[index] ** 2 - b[index] ** 2;

/**
 * Return a latent with one number set to a value by moving orthogonally to the plane; its foot stays.
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

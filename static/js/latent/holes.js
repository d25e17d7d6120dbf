/**
 * Holes: regions that are likely under the sampling distribution and have no codes. No DOM.
 *
 * @typedef {import('./atlas.js').Atlas} Atlas
 * @typedef {import('./box.js').Point} Point
 *
 * @typedef {object} Gaussian  over the plane, with the Cholesky factor [[along, 0], [across, up]] of its covariance
 * @property {Point} centre
 * @property {number} along
 * @property {number} across
 * @property {number} up
 */
import { nearestFoot, priorCentre } from './atlas.js';

/** The radius of the search, in standard deviations; 86 % of the samples lie within it. */
const SIGMAS = 2;
const CELLS = 56;

/**
 * Return the point farthest from every code, within two standard deviations of the sampling distribution.
 *
 * @param {Atlas} atlas
 * @returns {Point}
 */
export function largestHole(atlas) {
  const { centre, along, across, up } = samplingDistribution(atlas);
  let hole = centre;
  let farthest = -1;
  for (let n = 0; n < CELLS * CELLS; n++) {
    const a = SIGMAS * (((n % CELLS) + 0.5) / (CELLS / 2) - 1);
    const b = SIGMAS * ((Math.floor(n / CELLS) + 0.5) / (CELLS / 2) - 1);
    if (Math.hypot(a, b) > SIGMAS) continue;
    const point = { u: centre.u + along * a, v: centre.v + across * a + up * b };
    const i = nearestFoot(atlas, point);
    const distance = Math.hypot(atlas.feet[2 * i] - point.u, atlas.feet[2 * i + 1] - point.v);
    if (distance > farthest) [hole, farthest] = [point, distance];
  }
  return hole;
}

/**
 * Return the distribution of samples in the plane: the prior N(0, I) of a VAE, or the Gaussian fitted to an
 * autoencoder's codes.
 *
 * @param {Pick<Atlas, 'card' | 'plane' | 'feet'>} atlas
 * @returns {Gaussian}
 */
export function samplingDistribution({ card, plane, feet }) {
  if (card.family === 'vae') return { centre: priorCentre(plane), along: 1, across: 0, up: 1 };
  const count = feet.length / 2;
  const centre = { u: 0, v: 0 };
  for (let i = 0; i < count; i++) {
    centre.u += feet[2 * i] / count;
    centre.v += feet[2 * i + 1] / count;
  }
  let [uu, uv, vv] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const du = feet[2 * i] - centre.u;
    const dv = feet[2 * i + 1] - centre.v;
    uu += (du * du) / count;
    uv += (du * dv) / count;
    vv += (dv * dv) / count;
  }
  const along = Math.sqrt(uu);
  const across = along && uv / along;
  return { centre, along, across, up: Math.sqrt(Math.max(0, vv - across * across)) };
}

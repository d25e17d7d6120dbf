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

/** A hole has codes all around it: in each of so many directions at least this share of them. */
const SECTORS = 8;
const LEAST_SHARE = 0.01;

/**
 * Return the point farthest from every code, of those within two standard deviations of the sampling distribution that
 * have codes all around them; of all those, if none has.
 *
 * @param {Atlas} atlas
 * @returns {Point}
 */
export function largestHole(atlas) {
  const { centre, along, across, up } = samplingDistribution(atlas);
  const places = [];
  for (let n = 0; n < CELLS * CELLS; n++) {
    const a = SIGMAS * (((n % CELLS) + 0.5) / (CELLS / 2) - 1);
    const b = SIGMAS * ((Math.floor(n / CELLS) + 0.5) / (CELLS / 2) - 1);
    if (Math.hypot(a, b) > SIGMAS) continue;
    const point = { u: centre.u + along * a, v: centre.v + across * a + up * b };
    const i = nearestFoot(atlas, point);
    places.push({ point, distance: Math.hypot(atlas.feet[2 * i] - point.u, atlas.feet[2 * i + 1] - point.v) });
  }
  places.sort((one, other) => other.distance - one.distance);
  return (places.find(({ point }) => isEnclosed(atlas, point)) ?? places[0])?.point ?? centre;
}

/** @type {(atlas: Pick<Atlas, 'feet'>, point: Point) => boolean} */
function isEnclosed({ feet }, { u, v }) {
  const counts = new Float64Array(SECTORS);
  for (let i = 0; i < feet.length; i += 2) {
    const turn = Math.atan2(feet[i + 1] - v, feet[i] - u) / (2 * Math.PI) + 0.5;
    counts[Math.floor(turn * SECTORS) % SECTORS] += 1;
  }
  return counts.every((count) => count >= (LEAST_SHARE * feet.length) / 2);
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

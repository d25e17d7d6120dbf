/**
 * Holes: places where a sample may fall and where no code lies. No DOM.
 *
 * @typedef {import('./atlas.js').Atlas} Atlas
 * @typedef {import('./box.js').Point} Point
 *
 * @typedef {object} Gaussian  a normal distribution over the plane, by the square root of its covariance
 * @property {Point} centre
 * @property {number} along  the root is [[along, 0], [across, up]]
 * @property {number} across
 * @property {number} up
 */
import { nearestFoot, priorCentre } from './atlas.js';

/** So far out samples are looked for: six in seven fall nearer. */
const SIGMAS = 2;
const CELLS = 56;

/**
 * The place farthest from every code, of all that lie within two standard deviations of the cloud that samples are
 * drawn from.
 *
 * @param {Atlas} atlas
 * @returns {Point}
 */
export function largestHole(atlas) {
  const cloud = samplingDistribution(atlas);
  let hole = cloud.centre;
  let room = -1;
  for (let n = 0; n < CELLS * CELLS; n++) {
    const a = SIGMAS * (((n % CELLS) + 0.5) / (CELLS / 2) - 1);
    const b = SIGMAS * ((Math.floor(n / CELLS) + 0.5) / (CELLS / 2) - 1);
    if (Math.hypot(a, b) > SIGMAS) continue;
    const { centre, along, across, up } = cloud;
    const point = { u: centre.u + along * a, v: centre.v + across * a + up * b };
    const i = nearestFoot(atlas, point);
    const distance = Math.hypot(atlas.feet[2 * i] - point.u, atlas.feet[2 * i + 1] - point.v);
    if (distance > room) [hole, room] = [point, distance];
  }
  return hole;
}

/**
 * What samples are drawn from: the prior N(0, I) of a VAE, the normal distribution fitted to an autoencoder's codes.
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

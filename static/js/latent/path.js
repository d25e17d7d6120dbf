/**
 * A walk through latent space: its ends in the model at hand, and the places along it. No DOM.
 *
 * @typedef {import('./atlas.js').Atlas} Atlas
 * @typedef {import('./plane.js').Latent} Latent
 * @typedef {import('../store.js').Walk} Walk
 * @typedef {import('../store.js').End} End
 * @typedef {import('../store.js').PathKind} PathKind
 */
import { codeOf } from './atlas.js';
import { kindOf } from './labels.js';

/** @type {readonly PathKind[]} */
export const PATH_KINDS = ['linear', 'spherical', 'geodesic'];

/**
 * A typical image of a label.
 *
 * @param {Atlas} atlas
 * @param {number} label
 * @returns {{image: number}}
 */
export function typical({ landmarks }, label) {
  return { image: landmarks.find((landmark) => landmark.label === label)?.index ?? 0 };
}

/**
 * The walk as it can be gone in a model: ends that are not in its space give way to the default ones.
 *
 * @param {Atlas} atlas
 * @param {Walk | null} walk
 * @returns {Walk}
 */
export function walkOf(atlas, walk) {
  const [from, to] = kindOf(atlas.card.dataset).walk;
  const start = walk && isIn(atlas, walk.start) ? walk.start : typical(atlas, from);
  const end = walk && isIn(atlas, walk.end) ? walk.end : typical(atlas, to);
  return { start, end, kind: walk?.kind ?? 'linear' };
}

/** @type {(atlas: Atlas, end: End) => boolean} */
const isIn = ({ codes }, end) =>
  'image' in end ? end.image < codes.count : end.latent.length === codes.dim;

/** @type {(atlas: Atlas, end: End) => Latent} */
export const latentOf = (atlas, end) => ('image' in end ? codeOf(atlas, end.image) : end.latent);

/**
 * The label of what an end shows, if it is an image.
 *
 * @type {(atlas: Atlas, end: End) => number | undefined}
 */
export const labelOf = ({ codes }, end) => ('image' in end ? codes.labels[end.image] : undefined);

/**
 * The latent at a part of the way, straight between the steps next to it.
 *
 * @param {readonly Latent[]} route  at least two
 * @param {number} done  0..1
 * @returns {Latent}
 */
export function between(route, done) {
  const at = done * (route.length - 1);
  const i = Math.min(route.length - 2, Math.floor(at));
  const part = at - i;
  return route[i].map((z, j) => (1 - part) * z + part * route[i + 1][j]);
}

/**
 * The outline of a bar chart, as the `d` of an SVG path: one bar a step, a unit wide.
 *
 * @param {readonly number[]} lengths
 * @param {number} greatest  that fills the height
 * @param {number} height
 * @returns {string}
 */
export function barsOf(lengths, greatest, height) {
  const tops = lengths.map((length) => +(height * (1 - length / (greatest || 1))).toFixed(2));
  return `M0,${height}${tops.map((top, i) => `V${top}H${i + 1}`).join('')}V${height}Z`;
}

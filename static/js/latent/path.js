/**
 * A path through latent space: its ends in a model, and the points along it. No DOM.
 *
 * @typedef {import('./atlas.js').Atlas} Atlas
 * @typedef {import('./plane.js').Latent} Latent
 * @typedef {import('../store.js').Path} Path
 * @typedef {import('../store.js').End} End
 * @typedef {import('../store.js').PathKind} PathKind
 */
import { codeOf } from './atlas.js';
import { wordsFor } from './labels.js';

/** @type {readonly PathKind[]} */
export const PATH_KINDS = ['linear', 'spherical', 'geodesic'];

/**
 * Return a typical test image of a label.
 *
 * @param {Atlas} atlas
 * @param {number} label
 * @returns {{image: number}}
 */
export function typicalImage({ landmarks }, label) {
  return { image: landmarks.find((landmark) => landmark.label === label)?.index ?? 0 };
}

/**
 * Return the ends of a walk: typical test images of the two labels that lie farthest apart; of one label alone, the
 * image farthest from the middle of its codes, and the one farthest from that.
 *
 * @param {Atlas} atlas
 * @returns {[number, number]}  indices of the images
 */
export function walkEnds(atlas) {
  const { landmarks, feet, codes } = atlas;
  const points = landmarks.length > 1
    ? landmarks.map(({ index, point }) => ({ index, ...point }))
    : Array.from({ length: codes.count }, (_, index) => ({ index, u: feet[2 * index], v: feet[2 * index + 1] }));
  /** @type {(from: {u: number, v: number}) => typeof points[number]} */
  const farthestFrom = (from) =>
    points.reduce((best, one) => (distance(one, from) > distance(best, from) ? one : best), points[0]);
  if (landmarks.length <= 1) {
    const start = farthestFrom(meanOf(points));
    return [start.index, farthestFrom(start).index];
  }
  const pairs = points.map((start) => ({ start, end: farthestFrom(start) }));
  const longest = pairs.reduce((best, pair) =>
    distance(pair.start, pair.end) > distance(best.start, best.end) ? pair : best);
  return [longest.start.index, longest.end.index];
}

/** @type {(one: {u: number, v: number}, other: {u: number, v: number}) => number} */
const distance = (one, other) => Math.hypot(one.u - other.u, one.v - other.v);

/** @type {(points: readonly {u: number, v: number}[]) => {u: number, v: number}} */
const meanOf = (points) => ({
  u: points.reduce((sum, { u }) => sum + u / points.length, 0),
  v: points.reduce((sum, { v }) => sum + v / points.length, 0),
});

/**
 * Return a path in a model's latent space. Ends that are not in that space are replaced by the default ones.
 *
 * @param {Atlas} atlas
 * @param {Path | null} path
 * @returns {Path}
 */
export function pathIn(atlas, path) {
  const labels = wordsFor(atlas.card.dataset).pathLabels;
  const ends = labels ? labels.map((label) => typicalImage(atlas, label)) : walkEnds(atlas).map((image) => ({ image }));
  const start = path && isIn(atlas, path.start) ? path.start : ends[0];
  const end = path && isIn(atlas, path.end) ? path.end : ends[1];
  return { start, end, kind: path?.kind ?? 'linear' };
}

/** Steps of a path that is played or saved. */
export const STEPS = 67;

/** @type {(atlas: Atlas, end: End) => boolean} */
const isIn = ({ codes }, end) =>
  'image' in end ? end.image < codes.count : end.latent.length === codes.dim;

/** @type {(atlas: Atlas, end: End) => Latent} */
export const latentOf = (atlas, end) => ('image' in end ? codeOf(atlas, end.image) : end.latent);

/**
 * Return the label of an end that is a test image.
 *
 * @type {(atlas: Atlas, end: End) => number | undefined}
 */
export const labelOf = ({ codes }, end) => ('image' in end ? codes.labels[end.image] : undefined);

/**
 * Return the latent at a part of a path, by linear interpolation between its steps.
 *
 * @param {readonly Latent[]} pathLatents  at least two
 * @param {number} done  0..1
 * @returns {Latent}
 */
export function between(pathLatents, done) {
  const at = done * (pathLatents.length - 1);
  const i = Math.min(pathLatents.length - 2, Math.floor(at));
  const part = at - i;
  return pathLatents[i].map((z, j) => (1 - part) * z + part * pathLatents[i + 1][j]);
}

/**
 * Return the outline of a bar chart as the `d` of an SVG path: one bar per step, one unit wide.
 *
 * @param {readonly number[]} lengths
 * @param {number} greatest  the length that fills the height
 * @param {number} height
 * @returns {string}
 */
export function barsOf(lengths, greatest, height) {
  const tops = lengths.map((length) => +(height * (1 - length / (greatest || 1))).toFixed(2));
  return `M0,${height}${tops.map((top, i) => `V${top}H${i + 1}`).join('')}V${height}Z`;
}

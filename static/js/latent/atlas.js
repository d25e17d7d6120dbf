/**
 * The atlas of a model: its codes in a plane, and the landmarks of its labels. No DOM.
 *
 * @typedef {import('../api.js').Card} Card
 * @typedef {import('../api.js').Codes} Codes
 * @typedef {import('./plane.js').Plane} Plane
 * @typedef {import('./box.js').Point} Point
 * @typedef {import('./box.js').Box} Box
 *
 * @typedef {object} Landmark  where the codes of a label are densest
 * @property {number} label
 * @property {Point} point
 * @property {number} index  of the nearest code of that label, a typical one
 *
 * @typedef {object} Atlas
 * @property {Card} card
 * @property {Plane} plane  the plane that the map shows
 * @property {Plane} base  the chosen plane; the map shows it, or a parallel one if the point lies off it
 * @property {Codes} codes
 * @property {Float32Array} feet  u, v of each code's foot in the plane
 * @property {Box} view  what the map shows at first: the prior, and all codes but the most remote
 * @property {Landmark[]} landmarks
 */
import { including } from './box.js';
import { footOf } from './plane.js';

const CELLS = 56;
/** The first view leaves out this share of the codes on each side. */
const REMOTE = 0.003;
/** Codes spread over less than this coincide, and the view gets a fixed margin. */
const MIN_SPREAD = 1e-3;
/** The view of a VAE includes its prior to this many standard deviations. */
export const PRIOR_SIGMAS = 3;

/**
 * Project the codes of a model onto a plane, and find the view and the landmarks.
 *
 * @param {Card} card
 * @param {Plane} plane
 * @param {Codes} codes
 * @returns {Atlas}
 */
export const createAtlas = (card, plane, codes) => withLandmarks(createBareAtlas(card, plane, codes));

/** @type {(atlas: Atlas) => Atlas} */
export const withLandmarks = (atlas) => ({ ...atlas, landmarks: landmarksOf(atlas) });

/**
 * Create an atlas that has no landmarks yet.
 *
 * @param {Card} card
 * @param {Plane} plane
 * @param {Codes} codes
 * @returns {Atlas}
 */
export function createBareAtlas(card, plane, codes) {
  const feet = new Float32Array(2 * codes.count);
  for (let i = 0; i < codes.count; i++) {
    const { u, v } = footOf(plane, codes.values, i * codes.dim);
    feet[2 * i] = u;
    feet[2 * i + 1] = v;
  }
  const codesView = viewOf(feet);
  const view = card.family === 'vae' ? withPrior(codesView, plane) : codesView;
  return { card, plane, base: plane, codes, feet, view, landmarks: [] };
}

/** @type {(feet: Float32Array) => Box} */
function viewOf(feet) {
  const u = feet.filter((_, i) => i % 2 === 0).sort();
  const v = feet.filter((_, i) => i % 2 === 1).sort();
  if (u.length === 0) return { u0: -4, v0: -4, u1: 4, v1: 4 };
  const low = Math.floor(u.length * REMOTE);
  const high = u.length - 1 - low;
  const spread = Math.max(u[high] - u[low], v[high] - v[low]);
  const margin = spread > MIN_SPREAD ? 0.04 * spread : 0.5;
  return {
    u0: u[low] - margin,
    v0: v[low] - margin,
    u1: u[high] + margin,
    v1: v[high] + margin,
  };
}

/**
 * Return the foot of the mean of the prior N(0, I).
 *
 * @param {Plane} plane
 */
export const priorCentre = (plane) => footOf(plane, new Float64Array(plane.origin.length));

/** @type {(view: Box, plane: Plane) => Box} */
function withPrior(view, plane) {
  const { u, v } = priorCentre(plane);
  const low = including(view, { u: u - PRIOR_SIGMAS, v: v - PRIOR_SIGMAS });
  return including(low, { u: u + PRIOR_SIGMAS, v: v + PRIOR_SIGMAS });
}

/**
 * Count the codes of each label in each cell of the view, smoothed twice.
 *
 * @param {Pick<Atlas, 'feet' | 'view' | 'codes'>} atlas
 * @returns {Map<number, Float64Array<ArrayBuffer>>}  by label: CELLS x CELLS, row by row, bottom row first
 */
function densitiesOf({ feet, view, codes }) {
  const labels = [...new Set(codes.labels)].sort((a, b) => a - b);
  const densities = new Map(labels.map((label) => [label, new Float64Array(CELLS * CELLS)]));
  for (let i = 0; i < codes.count; i++) {
    const column = Math.floor(((feet[2 * i] - view.u0) / (view.u1 - view.u0)) * CELLS);
    const row = Math.floor(((feet[2 * i + 1] - view.v0) / (view.v1 - view.v0)) * CELLS);
    if (column < 0 || row < 0 || column >= CELLS || row >= CELLS) continue;
    const density = densities.get(codes.labels[i]);
    if (density) density[row * CELLS + column] += 1;
  }
  for (const [label, density] of densities) densities.set(label, smooth(smooth(density)));
  return densities;
}

/** The mean over 3 x 3 cells. Most cells are empty and cost nothing. @type {(density: Float64Array) => Float64Array<ArrayBuffer>} */
function smooth(density) {
  const sums = new Float64Array(density.length);
  for (let n = 0; n < density.length; n++) {
    if (density[n] === 0) continue;
    const [row, column] = [Math.floor(n / CELLS), n % CELLS];
    for (let r = Math.max(0, row - 1); r <= Math.min(CELLS - 1, row + 1); r++) {
      for (let c = Math.max(0, column - 1); c <= Math.min(CELLS - 1, column + 1); c++) {
        sums[r * CELLS + c] += density[n] / 9;
      }
    }
  }
  return sums;
}

/** @type {(view: Box, n: number) => Point} */
const centreOf = (view, n) => ({
  u: view.u0 + (((n % CELLS) + 0.5) / CELLS) * (view.u1 - view.u0),
  v: view.v0 + ((Math.floor(n / CELLS) + 0.5) / CELLS) * (view.v1 - view.v0),
});

/** @type {(values: ArrayLike<number>) => number} */
function indexOfGreatest(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** @type {(atlas: Atlas) => Landmark[]} */
function landmarksOf(atlas) {
  return [...densitiesOf(atlas)].map(([label, density]) => {
    const point = centreOf(atlas.view, indexOfGreatest(density));
    return { label, point, index: nearestFoot(atlas, point, label) };
  });
}

/**
 * Return the code whose foot is nearest to a point, of one label or of any.
 *
 * @param {Pick<Atlas, 'feet' | 'codes'>} atlas
 * @param {Point} point
 * @param {number} [label]
 * @returns {number}  its index; -1 if there is none
 */
export function nearestFoot({ feet, codes }, point, label) {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < codes.count; i++) {
    if (label !== undefined && codes.labels[i] !== label) continue;
    const du = feet[2 * i] - point.u;
    const dv = feet[2 * i + 1] - point.v;
    const squared = du * du + dv * dv;
    if (squared < least) {
      least = squared;
      best = i;
    }
  }
  return best;
}

/**
 * Return where two labels meet: where the smaller of their densities is greatest.
 *
 * @param {Atlas} atlas
 * @param {number} a  label
 * @param {number} b  label
 * @returns {Point}
 */
export function borderOf(atlas, a, b) {
  const densities = densitiesOf(atlas);
  const [first, second] = [a, b].map((label) => densities.get(label) ?? new Float64Array(CELLS * CELLS));
  return centreOf(atlas.view, indexOfGreatest(smaller(first, second)));
}

/**
 * Return the two labels whose codes lie closest together: the smaller of their densities comes highest.
 *
 * @param {Atlas} atlas
 * @returns {[number, number] | null}  null: there are fewer than two
 */
export function closestLabels(atlas) {
  const densities = [...densitiesOf(atlas)];
  /** @type {[number, number] | null} */
  let closest = null;
  let best = -1;
  for (const [i, [a, first]] of densities.entries()) {
    for (const [b, second] of densities.slice(i + 1)) {
      const common = smaller(first, second);
      const close = common[indexOfGreatest(common)];
      if (close > best) [closest, best] = [[a, b], close];
    }
  }
  return closest;
}

/** @type {(one: Float64Array, other: Float64Array) => Float64Array} */
const smaller = (one, other) => one.map((value, n) => Math.min(value, other[n]));

/** Whether the codes have different labels. @type {(atlas: Pick<Atlas, 'landmarks'>) => boolean} */
export const hasLabels = ({ landmarks }) => landmarks.length > 1;

/**
 * Return the code of a test image.
 *
 * @param {Atlas} atlas
 * @param {number} index
 * @returns {number[]}
 */
export function codeOf({ codes }, index) {
  return Array.from(codes.values.subarray(index * codes.dim, (index + 1) * codes.dim));
}

/**
 * Return the range of a latent's numbers around 0: three standard deviations of the prior, or the 99th percentile of
 * the absolute numbers of an autoencoder's codes.
 *
 * @param {Pick<Atlas, 'card' | 'codes'>} atlas
 * @returns {number}
 */
export function rangeOf({ card, codes }) {
  if (card.family === 'vae') return PRIOR_SIGMAS;
  const sizes = codes.values.map(Math.abs).sort();
  return sizes[Math.floor(0.99 * sizes.length)] || 1;
}

/**
 * Describes a point of latent space in words, by the codes around it. No DOM.
 *
 * @typedef {import('./nearest.js').Neighbourhood} Neighbourhood
 * @typedef {import('./labels.js').Label} Label
 * @typedef {import('../api.js').Codes} Codes
 */
import { labelsOf } from './labels.js';
import { breath } from '../lib/breath.js';
import { createNearest, ranked } from './nearest.js';

/** How many codes `typicalReach` looks at. */
const SAMPLE = 200;
/** And how many between breaths. */
const PIECE = 10;
/** With at least this share of the neighbours, one label describes the point. */
const MAJORITY = 0.85;
/** Labels with a smaller share of the neighbours are not mentioned. */
const MIN_SHARE = 0.15;

/**
 * Return the 90th percentile of the distance from a code to the farthest of its neighbours. A point with no code
 * within this distance lies in an empty region.
 *
 * @param {Codes} codes
 * @returns {Promise<number>}  in latent units
 */
export function typicalReach(codes) {
  const cached = reachOf.get(codes) ?? measuredReach(codes);
  reachOf.set(codes, cached);
  return cached;
}

/** `typicalReach` takes milliseconds and has several callers. @type {WeakMap<Codes, Promise<number>>} */
const reachOf = new WeakMap();

/** @type {(codes: Codes) => Promise<number>} */
async function measuredReach(codes) {
  const nearest = createNearest(codes);
  const step = Math.max(1, Math.floor(codes.count / SAMPLE));
  const reaches = [];
  for (let i = 0; i < codes.count; i += step) {
    if (reaches.length % PIECE === 0) await breath();
    reaches.push(nearest(codes.values.subarray(i * codes.dim, (i + 1) * codes.dim)).reach);
  }
  reaches.sort((a, b) => a - b);
  return reaches[Math.floor(0.9 * reaches.length)] ?? Infinity;
}

/**
 * Describe a point by a title and a sentence.
 *
 * @param {Neighbourhood} place
 * @param {number} typical  `typicalReach` of the model's codes
 * @param {readonly Label[]} [labels]
 * @returns {{title: string, text: string}}
 */
export function describe(place, typical, labels = labelsOf('mnist')) {
  const [first, ...others] = nearbyLabels(place.share);
  const { many } = labels[first] ?? labels[0];
  const names = [first, ...others].map((label) => labels[label]?.bare);
  if (place.distance > typical) {
    return {
      title: 'Far from every code',
      text: `The nearest one is ${place.distance.toFixed(2)} away. No image taught the decoder what belongs here.`,
    };
  }
  if (labels.length === 1) {
    return {
      title: 'Among the codes',
      text: `The nearest test image has its code ${place.distance.toFixed(2)} from here.`,
    };
  }
  if (place.share[first] >= MAJORITY) {
    const count = place.indices.length;
    const votes = Math.round(place.share[first] * count);
    return {
      title: `Among the ${many}`,
      text: `${votes === count ? 'All' : `${votes} of`} the ${count} nearest codes are ${many}.`,
    };
  }
  if (others.length === 0) {
    return { title: `Mostly ${many}`, text: 'With a scattering of others that look like them.' };
  }
  if (others.length === 1) {
    return {
      title: `Between ${joinWords(names)}`,
      text: 'One image has to serve both, so it blurs or bends from one into the other.',
    };
  }
  return {
    title: `Where ${joinWords(names)} meet`,
    text: 'The decoder has to please them all, and draws something of each.',
  };
}

/**
 * Describe a point in half a sentence: the labels of the nearest codes, and whether there are many codes.
 *
 * @param {Neighbourhood} place
 * @param {number} typical  `typicalReach` of the model's codes
 * @param {readonly Label[]} [labels]
 * @returns {string}
 */
export function describeBriefly(place, typical, labels = labelsOf('mnist')) {
  const density = place.distance > typical ? 'far from every code'
    : place.reach > typical ? 'few codes here, so the image may blur'
    : 'many codes here';
  if (labels.length === 1) return density;
  const near = nearbyLabels(place.share);
  const names = near.map((label) => `${labels[label].bare} (${Math.round(100 * place.share[label])} %)`);
  return `near ${joinWords(names)} of the ${place.indices.length} nearest codes; ${density}`;
}

/** The description of every point of a collapsed model. */
export const COLLAPSED = {
  title: 'Every image has one code',
  text: 'Posterior collapse: a code tells next to nothing of its image, so the decoder draws the same wherever you go.',
};

/** @type {(items: readonly (string | number)[]) => string} */
export const joinWords = (items) =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

/**
 * Return the labels worth mentioning, the strongest first; the first three if none has `MIN_SHARE`.
 *
 * @param {ArrayLike<number>} share
 * @returns {number[]}
 */
export function nearbyLabels(share) {
  const labels = ranked(share);
  const strong = labels.filter((label) => share[label] >= MIN_SHARE);
  return strong.length ? strong : labels.slice(0, 3);
}

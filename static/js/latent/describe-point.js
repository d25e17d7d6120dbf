/**
 * What can be said about a place of the plane, in words. No DOM.
 *
 * @typedef {import('./nearest.js').Neighbourhood} Neighbourhood
 * @typedef {import('./labels.js').Label} Label
 * @typedef {import('../api.js').Codes} Codes
 * @typedef {import('../api.js').Card} Card
 */
import { labelsOf } from './labels.js';
import { valueOf } from './measures.js';
import { NEIGHBOURS, createNearest, ranked } from './nearest.js';

const SAMPLE = 200;
/** From this share of the neighbours on, a place belongs to one label. */
const HOME = 0.85;
/** From this share on, a label has a say. */
const VOICE = 0.15;
/** A VAE whose codes tell less than this of an image, in nats, has collapsed. */
const TELLING = 0.1;

/**
 * How far most codes must reach for their neighbours: nine in ten find all of them within this distance. A place
 * from where not even one code is as near is empty.
 *
 * @param {Codes} codes
 * @returns {number}  in latent units
 */
export function typicalReach(codes) {
  const known = reachOf.get(codes);
  if (known !== undefined) return known;
  const nearest = createNearest(codes);
  const step = Math.max(1, Math.floor(codes.count / SAMPLE));
  const reaches = [];
  for (let i = 0; i < codes.count; i += step) {
    reaches.push(nearest(codes.values.subarray(i * codes.dim, (i + 1) * codes.dim)).reach);
  }
  reaches.sort((a, b) => a - b);
  const reach = reaches[Math.floor(0.9 * reaches.length)] ?? Infinity;
  reachOf.set(codes, reach);
  return reach;
}

/** It takes milliseconds, and more than one asks. @type {WeakMap<Codes, number>} */
const reachOf = new WeakMap();

/**
 * @param {Neighbourhood} place
 * @param {number} ordinary  reach of the model's codes
 * @param {readonly Label[]} [labels]
 * @returns {{title: string, text: string}}
 */
export function describe(place, ordinary, labels = labelsOf('mnist')) {
  const [first, ...others] = nearbyLabels(place.share);
  const { many } = labels[first] ?? labels[0];
  const names = [first, ...others].map((label) => labels[label]?.bare);
  if (place.distance > ordinary) {
    return {
      title: 'Far from every code',
      text: `The nearest one is ${place.distance.toFixed(2)} away. No image taught the decoder what belongs here.`,
    };
  }
  if (place.share[first] >= HOME) {
    const votes = Math.round(place.share[first] * NEIGHBOURS);
    return {
      title: `Among the ${many}`,
      text: `${votes === NEIGHBOURS ? 'All' : `${votes} of`} the ${NEIGHBOURS} nearest codes are ${many}.`,
    };
  }
  if (others.length === 0) {
    return { title: `Mostly ${many}`, text: 'With a scattering of others that look like them.' };
  }
  if (others.length === 1) {
    return {
      title: `Between ${joinWords(names)}`,
      text: 'One image has to serve both, so its strokes blur or bend from one into the other.',
    };
  }
  return {
    title: `Where ${joinWords(names)} meet`,
    text: 'The decoder has to please them all, and draws something of each.',
  };
}

/**
 * The place in half a sentence: whose codes are near, and whether they are many.
 *
 * @param {Neighbourhood} place
 * @param {number} ordinary  reach of the model's codes
 * @param {readonly Label[]} [labels]
 * @returns {string}
 */
export function describeBriefly(place, ordinary, labels = labelsOf('mnist')) {
  const near = nearbyLabels(place.share);
  const names = near.map((label) => `${labels[label].bare} (${Math.round(100 * place.share[label])} %)`);
  const density = place.distance > ordinary ? 'far from every code'
    : place.reach > ordinary ? 'few codes here, so the image may blur'
    : 'many codes here';
  return `near ${joinWords(names)} of the ${NEIGHBOURS} nearest codes; ${density}`;
}

/** What can be said of every place of a collapsed model. */
export const COLLAPSED = {
  title: 'Every image has one code',
  text: 'Posterior collapse: a code tells next to nothing of its image, so the decoder draws the same wherever you go.',
};

/** @param {Pick<Card, 'family' | 'metrics'>} card */
export function hasCollapsed(card) {
  const kl = card.family === 'vae' ? valueOf(card, 'grey.kl') : null;
  return kl !== null && kl < TELLING;
}

/** @type {(items: readonly (string | number)[]) => string} */
export const joinWords = (items) =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

/**
 * The labels that have a say at a place, the strongest first; the first three where none is strong.
 *
 * @param {ArrayLike<number>} share
 * @returns {number[]}
 */
export function nearbyLabels(share) {
  const labels = ranked(share);
  const strong = labels.filter((label) => share[label] >= VOICE);
  return strong.length ? strong : labels.slice(0, 3);
}

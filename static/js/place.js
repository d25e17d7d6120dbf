/**
 * What can be said about a place of the plane, in words. No DOM.
 *
 * @typedef {import('./nearest.js').Neighbourhood} Neighbourhood
 * @typedef {import('./api.js').Codes} Codes
 */
import { NEIGHBOURS, createNearest, ranked } from './nearest.js';

const SAMPLE = 200;
/** From this share of the neighbours on, a place belongs to one digit. */
const HOME = 0.85;
/** From this share on, a digit has a say. */
const VOICE = 0.15;

/**
 * How far most codes must reach for their neighbours: nine in ten find all of them within this distance. A place
 * from where not even one code is as near is empty.
 *
 * @param {Codes} codes
 * @returns {number}  in latent units
 */
export function ordinaryReach(codes) {
  const nearest = createNearest(codes);
  const step = Math.max(1, Math.floor(codes.count / SAMPLE));
  const reaches = [];
  for (let i = 0; i < codes.count; i += step) {
    reaches.push(nearest(codes.values.subarray(i * codes.dim, (i + 1) * codes.dim)).reach);
  }
  reaches.sort((a, b) => a - b);
  return reaches[Math.floor(0.9 * reaches.length)] ?? Infinity;
}

/**
 * @param {Neighbourhood} place
 * @param {number} ordinary  reach of the model's codes
 * @returns {{title: string, text: string}}
 */
export function describe(place, ordinary) {
  const [first, ...others] = nearbyDigits(place.share);
  if (place.distance > ordinary) {
    return {
      title: 'Far from every code',
      text: `The nearest one is ${place.distance.toFixed(2)} away. No image taught the decoder what belongs here.`,
    };
  }
  if (place.share[first] >= HOME) {
    const votes = Math.round(place.share[first] * NEIGHBOURS);
    return {
      title: `Among the ${first}s`,
      text: `${votes === NEIGHBOURS ? 'All' : `${votes} of`} the ${NEIGHBOURS} nearest codes are ${first}s.`,
    };
  }
  if (others.length === 0) {
    return { title: `Mostly ${first}s`, text: 'With a scattering of others that look like them.' };
  }
  if (others.length === 1) {
    return {
      title: `Between ${first} and ${others[0]}`,
      text: 'One image has to serve both, so its strokes blur or bend from one into the other.',
    };
  }
  return {
    title: `Where ${list([first, ...others])} meet`,
    text: 'The decoder has to please them all, and draws something of each.',
  };
}

/** @type {(items: readonly (string | number)[]) => string} */
export const list = (items) =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;

/**
 * The digits that have a say at a place, the strongest first; the first three where none is strong.
 *
 * @param {ArrayLike<number>} share
 * @returns {number[]}
 */
export function nearbyDigits(share) {
  const labels = ranked(share);
  const strong = labels.filter((d) => share[d] >= VOICE);
  return strong.length ? strong : labels.slice(0, 3);
}

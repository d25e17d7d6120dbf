/**
 * A sentence that says what the map is. No DOM.
 *
 * @typedef {import('./atlas.js').Atlas} Atlas
 */
import { heightOf } from './plane.js';

/** The distance of codes from a plane is the mean over this many of them. */
const CODES = 1000;

/**
 * Say what a place of the map is and what it shows; of a slice through more dimensions, how far the codes are from it.
 *
 * @param {Atlas} atlas
 */
export function mapInWords(atlas) {
  const { card, codes } = atlas;
  if (card.latent_dim === 2) {
    return 'Each place is two numbers, z₁ to the right and z₂ up. It shows the image that the decoder makes of them.';
  }
  const away = typicalHeight(atlas).toFixed(1);
  return codes.count
    ? `A slice through ${card.latent_dim} numbers: each place shows what the decoder makes of them. The codes lie ${away} off it on average, in latent units.`
    : `A slice through ${card.latent_dim} numbers: each place shows what the decoder makes of them.`;
}

/** Return the mean distance of the codes from the plane. @type {(atlas: Pick<Atlas, 'plane' | 'codes'>) => number} */
function typicalHeight({ plane, codes: { values, count, dim } }) {
  const taken = Math.min(count, CODES);
  let sum = 0;
  for (let i = 0; i < taken; i++) sum += heightOf(plane, Array.from(values.subarray(i * dim, (i + 1) * dim)));
  return sum / taken;
}

/**
 * Noise on an image, and the distance between images. Intensities are 0..1. Pure mathematics, no DOM.
 */
import { IMAGE_PIXELS, IMAGE_SIDE } from '../lib/image-size.js';

/**
 * Return standard normal noise. It depends only on the seed, so that the slider changes its strength alone.
 *
 * Uniform numbers by Marsaglia's xorshift (2003, doi:10.18637/jss.v008.i14), transformed in pairs as by Box and
 * Muller (1958).
 *
 * @param {number} count
 * @param {number} [seed]  not 0
 * @returns {Float64Array}
 */
export function normalNoise(count, seed = 2_463_534_242) {
  let state = seed;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return Float64Array.from({ length: count }, () =>
    Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

/**
 * Return an image with noise added to every pixel, clipped to 0..1.
 *
 * @param {readonly number[]} image
 * @param {number} deviation  standard deviation of the noise
 * @param {Float64Array} [noise]
 * @returns {number[]}
 */
export const withNoise = (image, deviation, noise = normalNoise(IMAGE_PIXELS)) =>
  image.map((grey, i) => Math.min(1, Math.max(0, grey + deviation * noise[i])));

/**
 * Return the root mean square of the differences.
 *
 * @param {readonly number[]} a
 * @param {readonly number[]} b  of the same length
 */
export const distanceOf = (a, b) =>
  Math.sqrt(a.reduce((sum, grey, i) => sum + (grey - b[i]) ** 2, 0) / a.length);

/** Return an image as 28 rows. @type {(image: readonly number[]) => number[][]} */
export const inRows = (image) =>
  Array.from({ length: IMAGE_SIDE }, (_, row) => image.slice(IMAGE_SIDE * row, IMAGE_SIDE * (row + 1)));

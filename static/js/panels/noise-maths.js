/**
 * Noise on an image, and how far images are from each other. Grey levels are 0..1. Pure mathematics, no DOM.
 */
import { IMAGE_PIXELS, IMAGE_SIDE } from '../lib/image-size.js';

/**
 * Normal noise that is the same each time, so that a slider makes it stronger and not another.
 *
 * Uniform numbers by Marsaglia's xorshift (2003, doi:10.18637/jss.v008.i14), pairs of them through Box and
 * Muller's transform (1958).
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
 * An image with noise on every pixel, cut off at black and white.
 *
 * @param {readonly number[]} image
 * @param {number} deviation  of the noise
 * @param {Float64Array} [noise]
 * @returns {number[]}
 */
export const withNoise = (image, deviation, noise = normalNoise(IMAGE_PIXELS)) =>
  image.map((grey, i) => Math.min(1, Math.max(0, grey + deviation * noise[i])));

/**
 * The root of the mean square of the differences.
 *
 * @param {readonly number[]} a
 * @param {readonly number[]} b  as long
 */
export const distanceOf = (a, b) =>
  Math.sqrt(a.reduce((sum, grey, i) => sum + (grey - b[i]) ** 2, 0) / a.length);

/** An image as rows. @type {(image: readonly number[]) => number[][]} */
export const inRows = (image) =>
  Array.from({ length: IMAGE_SIDE }, (_, row) => image.slice(IMAGE_SIDE * row, IMAGE_SIDE * (row + 1)));

/**
 * Noise on an image, and the distance between images. Intensities are 0..1. Pure mathematics, no DOM.
 */
import { IMAGE_PIXELS, IMAGE_SIDE } from '../lib/image-size.js';
import { normalNoise } from '../lib/normal-noise.js';

/**
 * Return an image with noise added to every pixel, clipped to 0..1. It is the same noise at each strength.
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

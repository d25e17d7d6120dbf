/**
 * Noise on an image, and the distance between images. Intensities are 0..1. Pure mathematics, no DOM.
 */
import { normalNoise } from '../lib/normal-noise.js';

/**
 * Return an image with noise added to every pixel, clipped to 0..1. It is the same noise at each strength.
 *
 * @param {readonly number[]} image
 * @param {number} deviation  standard deviation of the noise
 * @param {Float64Array} [noise]
 * @returns {number[]}
 */
export const withNoise = (image, deviation, noise = normalNoise(image.length)) =>
  image.map((grey, i) => Math.min(1, Math.max(0, grey + deviation * noise[i])));

/**
 * Return the root mean square of the differences.
 *
 * @param {readonly number[]} a
 * @param {readonly number[]} b  of the same length
 */
export const distanceOf = (a, b) =>
  Math.sqrt(a.reduce((sum, grey, i) => sum + (grey - b[i]) ** 2, 0) / a.length);

/**
 * Return an image as rows of numbers, or of three numbers a pixel.
 *
 * @type {(image: readonly number[], shape: import('../lib/image-shape.js').ImageShape) => (number | number[])[][]}
 */
export const inRows = (image, { height, width, channels }) =>
  inParts(image, height).map((row) => (channels === 1 ? row : inParts(row, width)));

/** @type {(numbers: readonly number[], count: number) => number[][]} */
function inParts(numbers, count) {
  const length = numbers.length / count;
  return Array.from({ length: count }, (_, i) => numbers.slice(length * i, length * (i + 1)));
}

/**
 * The map of a model at moments of its training. No DOM.
 *
 * Time is measured in moments, not in epochs. Moments are closest in the first epochs, which change the map most.
 *
 * @typedef {import('./box.js').Box} Box
 * @typedef {import('./box.js').Point} Point
 *
 * @typedef {object} Moment
 * @property {number} epoch  at whose end it was taken; 0: before the first step
 * @property {Box} extent  of its plane
 * @property {Float32Array} feet  u, v of the codes of the first test images, in its plane
 * @property {number} cells  images on a side of the grid
 * @property {Uint8Array} levels  the grid as one image, top row first
 * @property {import('../lib/image-shape.js').ImageShape} image  the shape of each of its images
 *
 * @typedef {object} TrainingTime  between two moments
 * @property {Moment} from
 * @property {Moment} to
 * @property {number} part  of the time from one to the other, 0..1
 */
import { numbersOf } from '../lib/image-shape.js';

/**
 * Return a time, clamped to the first and the last moment.
 *
 * @param {readonly Moment[]} moments  at least one
 * @param {number} at  0 is the first, 1 the second
 * @returns {TrainingTime}
 */
export function timeAt(moments, at) {
  const last = moments.length - 1;
  const time = Math.min(last, Math.max(0, at));
  const first = Math.min(Math.max(0, last - 1), Math.floor(time));
  return { from: moments[first], to: moments[Math.min(last, first + 1)], part: time - first };
}

/** The epoch at a time, interpolated. @type {(trainingTime: TrainingTime) => number} */
export const epochOf = ({ from, to, part }) => from.epoch + part * (to.epoch - from.epoch);

/**
 * Return the feet of the codes at a time, by linear interpolation.
 *
 * @type {(trainingTime: TrainingTime) => Float32Array}
 */
export const feetOf = ({ from, to, part }) => from.feet.map((foot, i) => foot + part * (to.feet[i] - foot));

/** The moment nearest to a time. @type {(trainingTime: TrainingTime) => Moment} */
export const nearestMoment = ({ from, to, part }) => (part < 0.5 ? from : to);

/**
 * Return the image of a moment's grid at a point of its plane; of the nearest cell if the point lies outside.
 *
 * @param {Moment} moment
 * @param {Point} point
 * @returns {Uint8Array}  its numbers, row by row
 */
export function imageAt({ extent, cells, levels, image }, { u, v }) {
  /** @type {(part: number) => number} */
  const cell = (part) => Math.min(cells - 1, Math.max(0, Math.floor(part * cells)));
  const column = cell((u - extent.u0) / (extent.u1 - extent.u0));
  const row = cell((extent.v1 - v) / (extent.v1 - extent.v0));
  const pixels = new Uint8Array(numbersOf(image));
  const line = image.width * image.channels;
  for (let y = 0; y < image.height; y++) {
    const start = ((row * image.height + y) * cells + column) * line;
    pixels.set(levels.subarray(start, start + line), y * line);
  }
  return pixels;
}

/**
 * Return the time of an epoch in moments, clamped to the first and the last.
 *
 * @param {readonly Moment[]} moments
 * @param {number} epoch
 */
export function indexOfEpoch(moments, epoch) {
  const after = moments.findIndex((moment) => moment.epoch >= epoch);
  if (after <= 0) return after < 0 ? moments.length - 1 : 0;
  const [a, b] = [moments[after - 1].epoch, moments[after].epoch];
  return after - 1 + (epoch - a) / (b - a);
}

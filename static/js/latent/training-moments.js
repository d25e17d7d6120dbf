/**
 * How a model came to be: its map at moments of its training, and its losses between them. No DOM.
 *
 * Time runs in moments, not in epochs: the first epochs change most, and the moments lie closest there.
 *
 * @typedef {import('./box.js').Box} Box
 * @typedef {import('./box.js').Point} Point
 * @typedef {import('../api-types.js').components['schemas']['EpochJson']} Epoch
 *
 * @typedef {object} Moment
 * @property {number} epoch  after which it was; 0: before the first step
 * @property {Box} extent  of its plane
 * @property {Float32Array} feet  u, v of the codes of the first test images, in its plane
 * @property {number} cells  images on a side of its grid
 * @property {Uint8Array} levels  the grid as one grey image, the top row first
 *
 * @typedef {object} TrainingTime  a time between two moments
 * @property {Moment} from
 * @property {Moment} to
 * @property {number} part  of the way from one to the other, 0..1
 */
import { IMAGE_PIXELS, IMAGE_SIDE } from '../lib/image-size.js';

/**
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

/** The epoch of a trainingTime, between those of its moments. @type {(trainingTime: TrainingTime) => number} */
export const epochOf = ({ from, to, part }) => from.epoch + part * (to.epoch - from.epoch);

/**
 * Where the codes are on their straight way from one moment to the next.
 *
 * @type {(trainingTime: TrainingTime) => Float32Array}
 */
export const feetOf = ({ from, to, part }) => from.feet.map((foot, i) => foot + part * (to.feet[i] - foot));

/** The moment that a trainingTime is nearest to. @type {(trainingTime: TrainingTime) => Moment} */
export const nearestMoment = ({ from, to, part }) => (part < 0.5 ? from : to);

/**
 * What a moment's grid shows at a point of its plane; at the nearest cell if it lies outside.
 *
 * @param {Moment} moment
 * @param {Point} point
 * @returns {Uint8Array}  784 grey levels
 */
export function imageAt({ extent, cells, levels }, { u, v }) {
  /** @type {(part: number) => number} */
  const cell = (part) => Math.min(cells - 1, Math.max(0, Math.floor(part * cells)));
  const column = cell((u - extent.u0) / (extent.u1 - extent.u0));
  const row = cell((extent.v1 - v) / (extent.v1 - extent.v0));
  const pixels = new Uint8Array(IMAGE_PIXELS);
  for (let y = 0; y < IMAGE_SIDE; y++) {
    const start = (row * IMAGE_SIDE + y) * cells * IMAGE_SIDE + column * IMAGE_SIDE;
    pixels.set(levels.subarray(start, start + IMAGE_SIDE), y * IMAGE_SIDE);
  }
  return pixels;
}

/**
 * When an epoch was, in moments; the first and the last moment are as far as time goes.
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

/**
 * @typedef {readonly {epoch: number, value: number}[]} Points  nats per image
 *
 * @typedef {object} Curve
 * @property {'elbo' | 'reconstruction'} measure
 * @property {Points} points  what was followed on images that no gradient had seen
 * @property {Points} training  the same of those that were trained on: the loss, with its sign turned
 */

/**
 * The ELBO of each epoch that measured it; of a model without one, the reconstruction.
 *
 * @param {readonly Epoch[]} epochs
 * @returns {Curve}
 */
export function curveOf(epochs) {
  const measure = epochs.some(({ elbo }) => elbo !== null) ? 'elbo' : 'reconstruction';
  const points = epochs.flatMap(({ epoch, [measure]: value }) => (value === null ? [] : [{ epoch, value }]));
  const training = epochs.flatMap(({ epoch, train_loss: loss, [measure]: value }) =>
    (loss === null || value === null ? [] : [{ epoch, value: -loss }]));
  return { measure, points, training };
}

/**
 * Some points of a curve as the `d` of an SVG path. The first epochs are so far below that their place is the lower edge.
 *
 * @param {Curve} curve  that sets the scale
 * @param {Points} points
 * @param {readonly Moment[]} moments
 * @param {number} width
 * @param {number} height
 */
export function lineOf({ points: followed }, points, moments, width, height) {
  if (followed.length === 0 || moments.length < 2) return '';
  const values = followed.map(({ value }) => value).sort((a, b) => a - b);
  const top = values[values.length - 1];
  const low = Math.min(values[Math.floor(values.length / 8)], top - 1);
  return points.map(({ epoch, value }, i) => {
    const x = (indexOfEpoch(moments, epoch) / (moments.length - 1)) * width;
    const y = height * (1 - Math.min(1, Math.max(0, (value - low) / (top - low))));
    return `${i ? 'L' : 'M'}${+x.toFixed(1)},${+y.toFixed(1)}`;
  }).join('');
}

/**
 * What was measured last at or before an epoch.
 *
 * @param {Curve} curve
 * @param {number} epoch
 * @returns {number | null}
 */
export const valueAt = ({ points }, epoch) => points.findLast((point) => point.epoch <= epoch + 1e-6)?.value ?? null;

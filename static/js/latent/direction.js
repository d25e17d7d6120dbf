/**
 * Directions of a latent space in which one attribute of the images grows, and how far along one the point is. No DOM.
 *
 * An attribute is named `label-4`, or as its factor: `slant`.
 *
 * @typedef {import('../api.js').Direction} Direction
 * @typedef {import('../api.js').Factor} Factor
 * @typedef {import('./plane.js').Latent} Latent
 *
 * @typedef {object} Along  how far the point has moved along a direction
 * @property {string} attribute
 * @property {number} amount  in units of the factor; of a label, 1 is the way from the mean of the others to its own
 *
 * @typedef {object} Range  of a slider
 * @property {number} most  either way
 * @property {number} step
 */
import { roundLength } from '../lib/round-numbers.js';

const LABEL = /^label-(\d+)$/;
/** A slider goes so many standard deviations of a factor either way. */
const DEVIATIONS = 3;
const STEPS = 150;
/** Either way along the direction of a label. @type {Range} */
const OF_LABEL = { most: 2, step: 0.02 };

/** @type {(label: number) => string} */
export const attributeOfLabel = (label) => `label-${label}`;

/** The label that an attribute is; null: it is a factor. @type {(attribute: string) => number | null} */
export function labelIn(attribute) {
  const found = LABEL.exec(attribute);
  return found && Number(found[1]);
}

/** @type {(latent: Latent, direction: readonly number[], amount: number) => number[]} */
export const movedAlong = (latent, direction, amount) => latent.map((z, i) => z + amount * direction[i]);

/** @type {(direction: Pick<Direction, 'deviation'>) => Range} */
export function rangeAlong({ deviation }) {
  if (deviation === null) return OF_LABEL;
  const step = roundLength(Math.max((DEVIATIONS * deviation) / STEPS, 1e-6));
  return { most: step * Math.ceil((DEVIATIONS * deviation) / step), step };
}

/**
 * Return an amount in words for a reader, such as `+12°`, `−0.5 px`, or for a label `+50 % of the way`.
 *
 * @type {(amount: number, range: Range, unit: string | null) => string}
 */
export function amountText(amount, { step }, unit) {
  const sign = amount > 0 ? '+' : amount < 0 ? '−' : '';
  if (unit === null) return `${sign}${Math.round(100 * Math.abs(amount))} % of the way`;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return `${sign}${Math.abs(amount).toFixed(digits)}${unit === '°' ? '' : ' '}${unit}`;
}

/**
 * Say what a direction is and how well the codes tell its attribute.
 *
 * @type {(direction: Direction, name: string, factor: Factor | undefined) => string}
 */
export function describeDirection({ images, labelled, auc, r_squared: explained }, name, factor) {
  const of = `${images.toLocaleString('en')} test images`;
  if (factor && explained !== null) {
    const share = `${Math.round(100 * explained)} %`;
    return `${factor.about} How far a code lies along this direction explains ${share} of it, among images of one label (${of}).`;
  }
  const share = `${Math.round(100 * (auc ?? 0))} %`;
  const counts = `${(labelled ?? 0).toLocaleString('en')} of the ${of}`;
  return `From the mean code of all others to that of ${name}, ${counts}. Of two images, one of each, it lies farther along in ${share} of all pairs.`;
}

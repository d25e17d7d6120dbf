/**
 * The shape of a model's images, as its card gives it. Pure mathematics, no DOM.
 *
 * @typedef {object} ImageShape
 * @property {number} height  in pixels
 * @property {number} width
 * @property {number} channels  1 for grey, 3 for colour
 */

/** Numbers of an image, row by row, those of a pixel together. @type {(shape: ImageShape) => number} */
export const numbersOf = ({ height, width, channels }) => height * width * channels;

/** The axes of an array of so many images. @type {(shape: ImageShape, count: number) => number[]} */
export const axesOf = ({ height, width, channels }, count) => [count, height, width, ...(channels > 1 ? [channels] : [])];

/** @type {(shape: ImageShape) => boolean} */
export const isColour = ({ channels }) => channels > 1;

/** Pixels of the longer side. @type {(shape: ImageShape) => number} */
export const longestOf = ({ height, width }) => Math.max(height, width);

/** Pixels of the shorter side. @type {(shape: ImageShape) => number} */
export const shortestOf = ({ height, width }) => Math.min(height, width);

/** @type {(a: ImageShape, b: ImageShape) => boolean} */
export const isSame = (a, b) => a.height === b.height && a.width === b.width && a.channels === b.channels;

/**
 * Return the width and the height with the same proportions whose longer side is `longest`.
 *
 * @type {(shape: ImageShape, longest: number) => {width: number, height: number}}
 */
export function sizeOf(shape, longest) {
  const factor = longest / longestOf(shape);
  return { width: shape.width * factor, height: shape.height * factor };
}

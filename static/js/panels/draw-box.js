/**
 * Boxes on a picture, in shares of its width and height. No DOM.
 *
 * @typedef {import('../api.js').PhotoBox} PhotoBox
 * @typedef {import('../api.js').PhotoPlace} PhotoPlace
 * @typedef {'nw' | 'ne' | 'sw' | 'se'} Corner
 */

/** @type {PhotoBox} */
export const WHOLE = [0, 0, 1, 1];
/** A side of a box is at least so long. */
export const LEAST = 0.04;

/** @type {(low: number, value: number, high: number) => number} */
const within = (low, value, high) => Math.max(low, Math.min(high, value));

/** @type {(box: PhotoBox) => boolean} */
export const isWhole = (box) => box.every((share, i) => share === WHOLE[i]);

/** @type {(box: PhotoBox, place: PhotoPlace) => boolean} */
export const contains = ([left, top, right, bottom], [x, y]) => left <= x && x <= right && top <= y && y <= bottom;

/** @type {(box: PhotoBox) => PhotoPlace} */
export const middleOf = ([left, top, right, bottom]) => [(left + right) / 2, (top + bottom) / 2];

/** Move a box as far as the picture reaches. @type {(box: PhotoBox, dx: number, dy: number) => PhotoBox} */
export function moved([left, top, right, bottom], dx, dy) {
  const x = within(-left, dx, 1 - right);
  const y = within(-top, dy, 1 - bottom);
  return [left + x, top + y, right + x, bottom + y];
}

/** Move one corner. @type {(box: PhotoBox, corner: Corner, dx: number, dy: number) => PhotoBox} */
export function resized([left, top, right, bottom], corner, dx, dy) {
  const isWest = corner.endsWith('w');
  const isNorth = corner.startsWith('n');
  return [
    isWest ? within(0, left + dx, right - LEAST) : left,
    isNorth ? within(0, top + dy, bottom - LEAST) : top,
    isWest ? right : within(left + LEAST, right + dx, 1),
    isNorth ? bottom : within(top + LEAST, bottom + dy, 1),
  ];
}

/**
 * Return the box between two places, of which one may lie outside of the picture.
 *
 * @type {(a: PhotoPlace, b: PhotoPlace) => PhotoBox | null}  null: it is too small
 */
export function between([x0, y0], [x1, y1]) {
  const [left, right] = [Math.min(x0, x1), Math.max(x0, x1)].map((x) => within(0, x, 1));
  const [top, bottom] = [Math.min(y0, y1), Math.max(y0, y1)].map((y) => within(0, y, 1));
  return right - left < LEAST || bottom - top < LEAST ? null : [left, top, right, bottom];
}

/** Say in a sentence where a box lies. @type {(box: PhotoBox) => string} */
export function describeBox(box) {
  if (isWhole(box)) return 'The whole image is looked at.';
  const [left, top, right, bottom] = box.map((share) => Math.round(100 * share));
  return `Box: ${left} to ${right} % of the width, ${top} to ${bottom} % of the height.`;
}

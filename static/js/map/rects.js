/**
 * Rectangles of the screen. Pure mathematics, no DOM.
 *
 * @typedef {import('./camera.js').Rect} Rect
 * @typedef {import('./camera.js').Screen} Screen
 */

/** Return a rectangle with a margin around it. @type {(rect: Rect, margin: number) => Rect} */
export const grown = ({ left, top, right, bottom }, margin) =>
  ({ left: left - margin, top: top - margin, right: right + margin, bottom: bottom + margin });

/** @type {(a: Rect, b: Rect) => boolean} */
export const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Whether one rectangle holds the whole of another. @type {(outer: Rect, inner: Rect) => boolean} */
export const contains = (outer, inner) =>
  inner.left >= outer.left && inner.top >= outer.top && inner.right <= outer.right && inner.bottom <= outer.bottom;

/** @type {(rect: Rect, place: Screen) => boolean} */
export const holds = ({ left, top, right, bottom }, { x, y }) => x > left && x < right && y > top && y < bottom;

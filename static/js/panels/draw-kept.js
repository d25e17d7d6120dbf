/**
 * The visitor's drawing, which the browser keeps for the tab, so that a reload does not lose it.
 */

const KEY = 'drawing';

/** @param {readonly number[][]} strokes  x, y, x, y, … of each, as shares of the side */
export function keep(strokes) {
  try {
    if (strokes.length) sessionStorage.setItem(KEY, JSON.stringify(strokes));
    else sessionStorage.removeItem(KEY);
  } catch {
    // The browser stores nothing for this page, or has no room: the drawing lasts until the page is left.
  }
}

/** Return the strokes that were kept last; none if there are none that can be read. @returns {number[][]} */
export function kept() {
  try {
    const strokes = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
    return strokes.every(isStroke) ? strokes : [];
  } catch {
    return [];
  }
}

/** @type {(stroke: unknown) => boolean} */
const isStroke = (stroke) =>
  Array.isArray(stroke) && stroke.length > 0 && stroke.length % 2 === 0 && stroke.every(Number.isFinite);

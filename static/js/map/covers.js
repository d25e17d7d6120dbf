/**
 * What covers the map: the sheets that float on it.
 *
 * @typedef {import('./camera.js').Rect} Rect
 */
import { findAll } from '../lib/dom.js';

const SHEETS = '.sheet:not([popover], .hover)';
/** Those that come and go while the visitor looks at the map. */
const PASSING = '#minimap, #notice, #link-warning';

/** @returns {HTMLElement[]} */
export const sheetsOfPage = () => findAll(document, SHEETS, HTMLElement);

/**
 * Return where an element lies on the map.
 *
 * @param {HTMLElement} map
 * @param {HTMLElement} element
 * @returns {Rect}
 */
export function placeOn(map, element) {
  const { left, top } = map.getBoundingClientRect();
  const rect = element.getBoundingClientRect();
  return { left: rect.left - left, top: rect.top - top, right: rect.right - left, bottom: rect.bottom - top };
}

/**
 * Return where the visible sheets lie on the map, and whether each stays there.
 *
 * @param {HTMLElement} map
 */
export const coversOf = (map) =>
  sheetsOfPage()
    .filter((sheet) => sheet.offsetParent !== null)
    .map((sheet) => ({ rect: placeOn(map, sheet), stays: !sheet.matches(PASSING) }));

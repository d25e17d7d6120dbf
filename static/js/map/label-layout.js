/**
 * Places on the screen that must not overlap. Pure mathematics, no DOM.
 *
 * @typedef {import('./camera.js').Screen} Screen
 * @typedef {import('./camera.js').Rect} Rect
 *
 * @typedef {object} Label
 * @property {number} width  CSS pixels
 * @property {number} height
 * @property {readonly Screen[]} places  where its middle may be, the best first
 */
import { contains, holds, overlap } from './rects.js';

/** Directions in which a label looks for a place. */
const DIRECTIONS = 16;
/** Steps that it takes in each. */
const STEPS = 6;
/** Its largest distance from its place, relative to its height. */
const REACH = 3;

/**
 * Return the place nearest to a place that no rectangle covers.
 *
 * @param {Screen} place
 * @param {readonly Rect[]} rects  that do not overlap
 * @returns {Screen}
 */
export function outside({ x, y }, rects) {
  for (const rect of rects) {
    if (!holds(rect, { x, y })) continue;
    const { left, top, right, bottom } = rect;
    const least = Math.min(x - left, right - x, y - top, bottom - y);
    if (least === x - left) return { x: left, y };
    if (least === right - x) return { x: right, y };
    return { x, y: least === y - top ? top : bottom };
  }
  return { x, y };
}

/**
 * Return a place and those around it, the nearest first, without those that are nearer to what other labels name.
 *
 * @param {Screen} place
 * @param {number} width  of the label
 * @param {number} height
 * @param {readonly Screen[]} [others]  places of other labels
 * @returns {Screen[]}
 */
export function placesAround({ x, y }, width, height, others = []) {
  const stretch = Math.max(1, (0.6 * width) / height); // a wide label has to go farther sideways
  const places = [{ x, y }];
  for (let step = 1; step <= STEPS; step++) {
    const radius = (step / STEPS) * REACH * height;
    for (let n = 0; n < DIRECTIONS; n++) {
      const angle = (n / DIRECTIONS) * 2 * Math.PI;
      places.push({ x: x + radius * stretch * Math.cos(angle), y: y + radius * Math.sin(angle) });
    }
  }
  const away = (/** @type {Screen} */ a, /** @type {Screen} */ b) => Math.hypot(a.x - b.x, a.y - b.y);
  return places
    .filter((place) => others.every((other) => away(place, { x, y }) <= away(place, other)))
    .sort((a, b) => away(a, { x, y }) - away(b, { x, y }));
}

/**
 * Place labels one after another, the most important first, where nothing else is.
 *
 * @param {readonly Label[]} labels
 * @param {readonly Rect[]} obstacles
 * @param {Rect} within  in which whole labels must lie
 * @returns {(Rect | null)[]}  of each label; null: there is no room
 */
export function placeLabels(labels, obstacles, within) {
  const taken = [...obstacles];
  return labels.map(({ width, height, places }) => {
    for (const { x, y } of places) {
      const rect = { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
      if (!contains(within, rect) || taken.some((other) => overlap(other, rect))) continue;
      taken.push(rect);
      return rect;
    }
    return null;
  });
}

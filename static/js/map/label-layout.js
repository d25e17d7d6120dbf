/**
 * What lies on the screen and must not lie on something else. Pure mathematics, no DOM.
 *
 * @typedef {import('./camera.js').Screen} Screen
 * @typedef {import('./camera.js').Rect} Rect
 */

/**
 * The place nearest to a place of the screen that no rectangle covers.
 *
 * @param {Screen} place
 * @param {readonly Rect[]} rects  that do not overlap
 * @returns {Screen}
 */
export function outside({ x, y }, rects) {
  for (const { left, top, right, bottom } of rects) {
    if (x <= left || x >= right || y <= top || y >= bottom) continue;
    const least = Math.min(x - left, right - x, y - top, bottom - y);
    if (least === x - left) return { x: left, y };
    if (least === right - x) return { x: right, y };
    return { x, y: least === y - top ? top : bottom };
  }
  return { x, y };
}

/**
 * Places moved no more than they must be for any two to lie at least so far from each other; a few rounds of
 * pushing each pair apart.
 *
 * @param {readonly Screen[]} places
 * @param {number} least  distance, CSS pixels
 * @returns {Screen[]}
 */
export function apart(places, least) {
  const moved = places.map(({ x, y }) => ({ x, y }));
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < moved.length; i++) {
      for (let j = 0; j < i; j++) {
        const dx = moved[i].x - moved[j].x || 1e-3;
        const dy = moved[i].y - moved[j].y;
        const distance = Math.hypot(dx, dy);
        const push = (least - distance) / 2 / distance;
        if (push <= 0) continue;
        moved[i].x += dx * push;
        moved[i].y += dy * push;
        moved[j].x -= dx * push;
        moved[j].y -= dy * push;
      }
    }
  }
  return moved;
}

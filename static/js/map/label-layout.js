/**
 * Places on the screen that must not overlap. Pure mathematics, no DOM.
 *
 * @typedef {import('./camera.js').Screen} Screen
 * @typedef {import('./camera.js').Rect} Rect
 */

/**
 * Return the place nearest to a place that no rectangle covers.
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
 * Return places moved until any two have a minimum distance, by a few rounds of pushing pairs apart.
 *
 * @param {readonly Screen[]} places
 * @param {number} distance  CSS pixels
 * @returns {Screen[]}
 */
export function keepApart(places, distance) {
  const moved = places.map(({ x, y }) => ({ x, y }));
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < moved.length; i++) {
      for (let j = 0; j < i; j++) {
        const dx = moved[i].x - moved[j].x || 1e-3;
        const dy = moved[i].y - moved[j].y;
        const now = Math.hypot(dx, dy);
        const push = (distance - now) / 2 / now;
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

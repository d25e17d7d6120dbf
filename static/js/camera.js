/**
 * The camera: where the plane stands on the screen. Pure mathematics, no DOM.
 *
 * Plane coordinates (u, v) are in latent units, v upwards. Screen coordinates (x, y) are CSS pixels
 * of the map, y downwards. A camera is a value: moving it makes another one.
 *
 * @typedef {{x: number, y: number}} Screen
 * @typedef {{u: number, v: number}} Point
 * @typedef {{u0: number, v0: number, u1: number, v1: number}} Box  u0 < u1, v0 < v1
 * @typedef {{left: number, top: number, right: number, bottom: number}} Rect  in CSS pixels
 *
 * @typedef {object} Camera
 * @property {number} x  where the plane's origin lies on the screen
 * @property {number} y
 * @property {number} scale  pixels per latent unit
 */

/**
 * Show the whole of a box, centred in the part of the screen that no panel covers.
 *
 * @param {Box} box
 * @param {Rect} clear
 * @returns {Camera}
 */
export function fit(box, clear) {
  const width = Math.max(1, clear.right - clear.left);
  const height = Math.max(1, clear.bottom - clear.top);
  const scale = Math.min(width / (box.u1 - box.u0), height / (box.v1 - box.v0));
  return {
    x: (clear.left + clear.right) / 2 - (scale * (box.u0 + box.u1)) / 2,
    y: (clear.top + clear.bottom) / 2 + (scale * (box.v0 + box.v1)) / 2,
    scale,
  };
}

/** @type {(camera: Camera, u: number) => number} */
export const screenX = (camera, u) => camera.x + u * camera.scale;

/** @type {(camera: Camera, v: number) => number} */
export const screenY = (camera, v) => camera.y - v * camera.scale;

/** @type {(camera: Camera, x: number) => number} */
export const planeU = (camera, x) => (x - camera.x) / camera.scale;

/** @type {(camera: Camera, y: number) => number} */
export const planeV = (camera, y) => (camera.y - y) / camera.scale;

/**
 * The part of the plane that a rectangle of the screen shows.
 *
 * @param {Camera} camera
 * @param {Rect} rect
 * @returns {Box}
 */
export function boxOf(camera, rect) {
  return {
    u0: planeU(camera, rect.left),
    v0: planeV(camera, rect.bottom),
    u1: planeU(camera, rect.right),
    v1: planeV(camera, rect.top),
  };
}

/**
 * The smallest box that holds a box and a point.
 *
 * @param {Box} box
 * @param {Point} point
 * @returns {Box}
 */
export function including(box, { u, v }) {
  return {
    u0: Math.min(box.u0, u),
    v0: Math.min(box.v0, v),
    u1: Math.max(box.u1, u),
    v1: Math.max(box.v1, v),
  };
}

/** @type {(box: Box, point: Point) => boolean} */
export const contains = ({ u0, v0, u1, v1 }, { u, v }) => u >= u0 && u <= u1 && v >= v0 && v <= v1;

/**
 * The nearest point inside a box.
 *
 * @param {Box} box
 * @param {Point} point
 * @returns {Point}
 */
export function clamp(box, { u, v }) {
  return {
    u: Math.min(box.u1, Math.max(box.u0, u)),
    v: Math.min(box.v1, Math.max(box.v0, v)),
  };
}

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

/**
 * The square cells that cover a box, anchored at the plane's origin, row by row from the top left.
 *
 * @typedef {object} Grid
 * @property {number} side  of a cell, in latent units
 * @property {number} columns
 * @property {number} rows
 * @property {number} u0  left edge of the first column
 * @property {number} v1  upper edge of the first row
 *
 * @param {Box} box
 * @param {number} side  wished-for side of a cell
 * @param {number} most  the side grows until no more cells than this are needed
 * @returns {Grid}
 */
export function gridOver(box, side, most) {
  for (;;) {
    const left = Math.floor(box.u0 / side);
    const top = Math.ceil(box.v1 / side);
    const columns = Math.max(1, Math.ceil(box.u1 / side) - left);
    const rows = Math.max(1, top - Math.floor(box.v0 / side));
    if (columns * rows <= most) return { side, columns, rows, u0: left * side, v1: top * side };
    side *= 1.02;
  }
}

/**
 * The centre of a grid's n-th cell.
 *
 * @param {Grid} grid
 * @param {number} n
 * @returns {Point}
 */
export function cellCentre(grid, n) {
  return {
    u: grid.u0 + ((n % grid.columns) + 0.5) * grid.side,
    v: grid.v1 - (Math.floor(n / grid.columns) + 0.5) * grid.side,
  };
}

/**
 * The largest of 1, 2, 5 x 10^k that is no larger than `length`.
 *
 * @param {number} length
 */
export function roundLength(length) {
  const power = 10 ** Math.floor(Math.log10(length));
  const first = length / power;
  return (first >= 5 ? 5 : first >= 2 ? 2 : 1) * power;
}

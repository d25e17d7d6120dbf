/**
 * The camera: how the plane is mapped to the screen. Pure mathematics, no DOM.
 *
 * Plane coordinates (u, v) are in latent units, v upwards. Screen coordinates (x, y) are CSS pixels of the map, y
 * downwards. A camera is a value; moving it returns another one.
 *
 * @typedef {{x: number, y: number}} Screen
 * @typedef {import('../latent/box.js').Point} Point
 * @typedef {import('../latent/box.js').Box} Box
 * @typedef {{left: number, top: number, right: number, bottom: number}} Rect  in CSS pixels
 *
 * @typedef {object} Camera
 * @property {number} x  of the plane's origin on the screen
 * @property {number} y
 * @property {number} scale  pixels per latent unit
 *
 * @typedef {object} Limits  of where the camera may go
 * @property {number} minScale
 * @property {number} maxScale
 * @property {Box} bounds  of the point under the eye
 * @property {Screen} eye  the middle of the part of the screen that the map is fitted into
 *
 * @typedef {object} Framing  what the camera shows, independent of the screen's size
 * @property {number} u  the point under the eye
 * @property {number} v
 * @property {number} zoom  relative to the scale of the whole map
 */
import { clamp } from '../latent/box.js';

/**
 * Return the camera that shows a whole box, centred in a rectangle of the screen.
 *
 * @param {Box} box
 * @param {Rect} clear  the part of the screen that no panel covers
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

/** Each scale that is tried is this part of the one before. */
const SHRINK = 0.95;
/** No scale is tried that is smaller than this part of the one that fills the free screen. */
const SMALLEST = 0.45;
/** Places tried along either side of the free screen. */
const PLACES = 7;

/**
 * Return the camera that shows a whole box as large as can be, with little of what it holds under the cards on the
 * map: as little as is allowed or, if that cannot be, the least.
 *
 * @param {Box} box
 * @param {Rect} free  the part of the screen that may show it
 * @param {readonly Rect[]} cards  on that part
 * @param {(box: Box) => number} countIn  how much a box of the plane holds
 * @param {number} allowed  how much of it may lie under the cards
 * @returns {Camera}
 */
export function fitAround(box, free, cards, countIn, allowed) {
  const largest = fit(box, free);
  let [best, least] = [largest, Infinity];
  for (let factor = 1; factor >= SMALLEST; factor *= SHRINK) {
    const scale = largest.scale * factor;
    const slackX = free.right - free.left - scale * (box.u1 - box.u0);
    const slackY = free.bottom - free.top - scale * (box.v1 - box.v0);
    for (const { dx, dy } of SHIFTS) {
      const camera = pan(zoomAbout(largest, factor, middleOf(free)), dx * slackX, dy * slackY);
      const hidden = cards.reduce((sum, card) => sum + countIn(boxOf(camera, card)), 0);
      if (hidden < least) [best, least] = [camera, hidden];
      if (hidden <= allowed) return camera;
    }
  }
  return best;
}

/** Parts of the slack by which the box is moved off the middle, the smallest first. */
const SHIFTS = Array.from({ length: PLACES ** 2 }, (_, n) => ({
  dx: (n % PLACES) / (PLACES - 1) - 0.5,
  dy: Math.floor(n / PLACES) / (PLACES - 1) - 0.5,
})).sort((a, b) => Math.hypot(a.dx, a.dy) - Math.hypot(b.dx, b.dy));

/** @type {(rect: Rect) => Screen} */
const middleOf = ({ left, top, right, bottom }) => ({ x: (left + right) / 2, y: (top + bottom) / 2 });

/** @type {(camera: Camera, u: number) => number} */
export const screenX = (camera, u) => camera.x + u * camera.scale;

/** @type {(camera: Camera, v: number) => number} */
export const screenY = (camera, v) => camera.y - v * camera.scale;

/** @type {(camera: Camera, x: number) => number} */
export const planeU = (camera, x) => (x - camera.x) / camera.scale;

/** @type {(camera: Camera, y: number) => number} */
export const planeV = (camera, y) => (camera.y - y) / camera.scale;

/**
 * Return the part of the plane that a rectangle of the screen shows.
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
 * Return the visible part of the plane.
 *
 * @type {(view: { camera: Camera, width: number, height: number }) => Box}
 */
export const visibleBox = ({ camera, width, height }) =>
  boxOf(camera, { left: 0, top: 0, right: width, bottom: height });

/** @type {(camera: Camera, dx: number, dy: number) => Camera} */
export const pan = ({ x, y, scale }, dx, dy) => ({ x: x + dx, y: y + dy, scale });

/**
 * Return the camera zoomed by a factor; what lies at a place of the screen stays there.
 *
 * @param {Camera} camera
 * @param {number} factor
 * @param {Screen} place
 * @returns {Camera}
 */
export function zoomAbout({ x, y, scale }, factor, place) {
  return {
    x: place.x + (x - place.x) * factor,
    y: place.y + (y - place.y) * factor,
    scale: scale * factor,
  };
}

/**
 * Return the camera after a pinch: what was at the fingers' midpoint stays there, and their distance sets the zoom.
 *
 * @param {Camera} camera
 * @param {readonly [Screen, Screen]} before
 * @param {readonly [Screen, Screen]} after
 * @param {Limits} limits
 * @returns {Camera}
 */
export function pinch(camera, [a, b], [c, d], limits) {
  const from = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  const to = { x: (c.x + d.x) / 2, y: (c.y + d.y) / 2 };
  const growth = Math.hypot(d.x - c.x, d.y - c.y) / Math.max(1, Math.hypot(b.x - a.x, b.y - a.y));
  const factor = allowedFactor(camera, growth, limits);
  return within(zoomAbout(pan(camera, to.x - from.x, to.y - from.y), factor, to), limits);
}

/**
 * Return a zoom factor, limited to the scales that are allowed.
 *
 * @param {Camera} camera
 * @param {number} factor
 * @param {Limits} limits
 */
export function allowedFactor({ scale }, factor, { minScale, maxScale }) {
  return Math.min(maxScale, Math.max(minScale, scale * factor)) / scale;
}

/**
 * Return a camera within the limits, first by zooming about the eye, then by panning.
 *
 * @param {Camera} camera
 * @param {Limits} limits
 * @returns {Camera}
 */
export function within(camera, limits) {
  const { eye, bounds } = limits;
  const zoomed = zoomAbout(camera, allowedFactor(camera, 1, limits), eye);
  const { u, v } = clamp(bounds, { u: planeU(zoomed, eye.x), v: planeV(zoomed, eye.y) });
  return lookingAt({ u, v }, zoomed.scale, eye);
}

/** Return the camera with a point under the eye. @type {(point: Point, scale: number, eye: Screen) => Camera} */
export const lookingAt = ({ u, v }, scale, eye) => ({ x: eye.x - u * scale, y: eye.y + v * scale, scale });

/**
 * Return a camera between two, zooming at an even rate about the place of the screen where both show the same point.
 *
 * @param {Camera} from
 * @param {Camera} to
 * @param {number} part  0 is `from`, 1 is `to`
 * @returns {Camera}
 */
export function between(from, to, part) {
  const growth = to.scale / from.scale;
  if (Math.abs(growth - 1) < 1e-9) return pan(from, part * (to.x - from.x), part * (to.y - from.y));
  const place = { x: (from.x * growth - to.x) / (growth - 1), y: (from.y * growth - to.y) / (growth - 1) };
  return zoomAbout(from, growth ** part, place);
}

/** @type {(camera: Camera, whole: Camera, eye: Screen) => Framing} */
export const framingOf = (camera, whole, eye) => ({
  u: planeU(camera, eye.x),
  v: planeV(camera, eye.y),
  zoom: camera.scale / whole.scale,
});

/**
 * Return how far a glide has gone. It slows down exponentially, and its whole length is `GLIDE` times the speed.
 *
 * @param {number} speed  per millisecond
 * @param {number} milliseconds  since the release
 */
export const glide = (speed, milliseconds) => speed * GLIDE * -Math.expm1(-milliseconds / GLIDE);

/** The time constant of a glide, milliseconds. */
export const GLIDE = 180;

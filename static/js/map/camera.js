/**
 * The camera: where the plane stands on the screen. Pure mathematics, no DOM.
 *
 * Plane coordinates (u, v) are in latent units, v upwards. Screen coordinates (x, y) are CSS pixels
 * of the map, y downwards. A camera is a value: moving it makes another one.
 *
 * @typedef {{x: number, y: number}} Screen
 * @typedef {import('../latent/box.js').Point} Point
 * @typedef {import('../latent/box.js').Box} Box
 * @typedef {{left: number, top: number, right: number, bottom: number}} Rect  in CSS pixels
 *
 * @typedef {object} Camera
 * @property {number} x  where the plane's origin lies on the screen
 * @property {number} y
 * @property {number} scale  pixels per latent unit
 *
 * @typedef {object} Limits  of where the camera may go
 * @property {number} least  scale
 * @property {number} most
 * @property {Box} bounds  the eye looks at a point of it
 * @property {Screen} eye  the middle of the part of the screen that no panel covers
 *
 * @typedef {object} Framing  what the camera shows, whatever the size of the screen
 * @property {number} u  the point under the eye
 * @property {number} v
 * @property {number} zoom  how many times larger than the whole
 */
import { clamp } from '../latent/box.js';

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

/** @type {(camera: Camera, dx: number, dy: number) => Camera} */
export const pan = ({ x, y, scale }, dx, dy) => ({ x: x + dx, y: y + dy, scale });

/**
 * Make everything larger by a factor; what lies at a place of the screen stays there.
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
 * Follow two fingers: what was at their midpoint stays there, and grows as they part.
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
 * The part of a factor that the limits allow.
 *
 * @param {Camera} camera
 * @param {number} factor
 * @param {Limits} limits
 */
export function allowedFactor({ scale }, factor, { least, most }) {
  return Math.min(most, Math.max(least, scale * factor)) / scale;
}

/**
 * The nearest camera within the limits: its scale by zooming about the eye, then what it looks at by panning.
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

/** @type {(point: Point, scale: number, eye: Screen) => Camera} */
export const lookingAt = ({ u, v }, scale, eye) => ({ x: eye.x - u * scale, y: eye.y + v * scale, scale });

/**
 * The camera on its way from one to another: about the place of the screen where both show the same point, at an even
 * rate of growth.
 *
 * @param {Camera} from
 * @param {Camera} to
 * @param {number} part  of the way, 0..1
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
 * How far a thing has glided that was let go at a speed; it never comes farther than `GLIDE` times its speed.
 *
 * @param {number} speed  per millisecond
 * @param {number} milliseconds  since it was let go
 */
export const glide = (speed, milliseconds) => speed * GLIDE * -Math.expm1(-milliseconds / GLIDE);

/** After this many milliseconds, a glide has lost two thirds of its speed. */
export const GLIDE = 180;

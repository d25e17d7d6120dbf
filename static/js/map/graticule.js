/**
 * The graticule: lines at round coordinates with their numbers in the margin; and the circles of the prior.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../store.js').View} View
 * @typedef {import('../latent/box.js').Box} Box
 * @typedef {import('../lib/theme.js').Theme} Theme
 * @typedef {import('./camera.js').Screen} Screen
 * @typedef {import('./label-layer.js').Text} Text
 */
import { PRIOR_SIGMAS, priorCentre } from '../latent/atlas.js';
import { clamp } from '../latent/box.js';
import { multiples, roundLength } from '../lib/round-numbers.js';
import { screenX, screenY, visibleBox } from './camera.js';

/** The largest distance between lines, CSS pixels; the smallest is two fifths of it. */
const MAX_SPACING = 170;
/** Distance of an axis's numbers from the map's edge where the axis is out of sight, CSS pixels. */
const EDGE = 26;
/** Directions from the centre in which a circle may have its name, the best first: counter-clockwise from the right. */
const NAME_ANGLES = [-15, -25, -5, -35, 5, -45, 15, -60, 30, -75, 45, 60, 75, 90].map((d) => (d * Math.PI) / 180);

/** @type {(view: View) => number} */
const lineStep = ({ camera }) => roundLength(MAX_SPACING / camera.scale);

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Box} extent  of the plane, outside which there are no lines
 * @param {Theme} theme
 */
export function paintGraticule(context, view, extent, theme) {
  const { camera } = view;
  const step = lineStep(view);
  const visible = visibleBox(view);
  const low = clamp(extent, { u: visible.u0, v: visible.v0 });
  const high = clamp(extent, { u: visible.u1, v: visible.v1 });
  const [left, right] = [screenX(camera, low.u), screenX(camera, high.u)];
  const [top, bottom] = [screenY(camera, high.v), screenY(camera, low.v)];
  context.strokeStyle = theme.ink;
  context.lineWidth = 1;
  for (const isZero of [false, true]) {
    context.globalAlpha = isZero ? 0.3 : 0.1;
    context.beginPath();
    for (const u of multiples(low.u, high.u, step)) {
      if ((u === 0) !== isZero) continue;
      const x = Math.round(screenX(camera, u)) + 0.5;
      context.moveTo(x, top);
      context.lineTo(x, bottom);
    }
    for (const v of multiples(low.v, high.v, step)) {
      if ((v === 0) !== isZero) continue;
      const y = Math.round(screenY(camera, v)) + 0.5;
      context.moveTo(left, y);
      context.lineTo(right, y);
    }
    context.stroke();
  }
  context.globalAlpha = 1;
}

/**
 * Paint the prior's circles of 1, 2 and 3 sigma. An autoencoder has no prior.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Atlas} atlas
 * @param {Theme} theme
 * @param {number} opacity
 */
export function paintPrior(context, { camera }, { card, plane }, theme, opacity) {
  if (card.family !== 'vae') return;
  const centre = priorCentre(plane);
  const x = screenX(camera, centre.u);
  const y = screenY(camera, centre.v);
  context.strokeStyle = theme.ink;
  context.lineWidth = 1.25;
  for (let sigmas = 1; sigmas <= PRIOR_SIGMAS; sigmas++) {
    context.globalAlpha = opacity;
    context.beginPath();
    context.arc(x, y, sigmas * camera.scale, 0, 2 * Math.PI);
    context.stroke();
  }
  context.globalAlpha = 1;
}

/**
 * Return the names of the prior's circles, if there is room between these. Each may lie anywhere on its circle.
 *
 * @param {CanvasRenderingContext2D} context  for the width of text
 * @param {View} view
 * @param {Atlas} atlas
 * @param {Theme} theme
 * @returns {Text[]}
 */
export function priorNames(context, { camera }, { card, plane }, theme) {
  if (card.family !== 'vae' || camera.scale < MAX_SPACING / 4) return [];
  const centre = priorCentre(plane);
  const [x, y] = [screenX(camera, centre.u), screenY(camera, centre.v)];
  return Array.from({ length: PRIOR_SIGMAS }, (_, n) => {
    const radius = (n + 1) * camera.scale;
    const places = NAME_ANGLES.map((angle) => ({ x: x + radius * Math.cos(angle), y: y - radius * Math.sin(angle) }));
    return textOf(context, theme, `${n + 1}σ`, `italic ${15 * theme.type}px ${theme.serif}`, places);
  });
}

/**
 * Return the graticule's numbers at the axes, for a map without a frame.
 *
 * @param {CanvasRenderingContext2D} context  for the width of text
 * @param {View} view
 * @param {Theme} theme
 * @returns {Text[]}
 */
export function axisNumbers(context, view, theme) {
  const { camera, width, height } = view;
  const [step, box] = [lineStep(view), visibleBox(view)];
  const axisY = Math.min(height - EDGE, Math.max(EDGE, screenY(camera, 0)));
  const axisX = Math.min(width - EDGE, Math.max(EDGE, screenX(camera, 0)));
  const font = `${11 * theme.type}px ${theme.sans}`;
  /** @type {(value: number, places: Screen[]) => Text} */
  const number = (value, places) => textOf(context, theme, name(value), font, places);
  const beside = (/** @type {number} */ at) => [at + 10, at - 10];
  const columns = multiples(box.u0, box.u1, step).filter(Boolean).map((u) =>
    number(u, beside(axisY).map((y) => ({ x: screenX(camera, u), y }))));
  const rows = multiples(box.v0, box.v1, step).filter(Boolean).map((v) =>
    number(v, beside(axisX).reverse().map((x) => ({ x, y: screenY(camera, v) }))));
  return [...columns, ...rows];
}

/** @type {(context: CanvasRenderingContext2D, theme: Theme, text: string, font: string, places: Screen[]) => Text} */
function textOf(context, theme, text, font, places) {
  context.font = font;
  const { width, actualBoundingBoxAscent: ascent, actualBoundingBoxDescent: descent } = context.measureText(text);
  return { text, font, places, colour: theme.ink, opacity: 1, halo: 5, width: width + 5, height: ascent + descent + 5 };
}

/**
 * Paint the frame around the map, with the graticule's numbers in it.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {number} margin  width of the frame, CSS pixels
 * @param {Theme} theme
 */
export function paintFrame(context, view, margin, theme) {
  const { camera, width, height } = view;
  context.fillStyle = theme.ground;
  context.beginPath();
  context.rect(0, 0, width, height);
  context.rect(margin, margin, width - 2 * margin, height - 2 * margin);
  context.fill('evenodd');
  context.strokeStyle = theme.soft;
  context.lineWidth = 1;
  context.strokeRect(margin - 0.5, margin - 0.5, width - 2 * margin + 1, height - 2 * margin + 1);
  const [step, box] = [lineStep(view), visibleBox(view)];
  context.font = `${11 * theme.type}px ${theme.sans}`;
  context.fillStyle = theme.ink;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const u of multiples(box.u0, box.u1, step)) {
    const x = screenX(camera, u);
    if (x > margin && x < width - margin) context.fillText(name(u), x, height - margin / 2);
  }
  for (const v of multiples(box.v0, box.v1, step)) {
    const y = screenY(camera, v);
    if (y <= margin || y >= height - margin) continue;
    const isWide = context.measureText(name(v)).width > margin - 4;
    context.save();
    context.translate(margin / 2, y);
    if (isWide) context.rotate(-Math.PI / 2);
    context.fillText(name(v), 0, 0);
    context.restore();
  }
}

/** @type {(value: number) => string} */
const name = (value) => `${+value.toFixed(6)}`.replace('-', '−');

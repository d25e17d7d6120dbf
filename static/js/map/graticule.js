/**
 * The graticule: lines at round coordinates with their numbers in the margin; and the circles of the prior.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../store.js').View} View
 * @typedef {import('../latent/box.js').Box} Box
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { PRIOR_SIGMAS, priorCentre } from '../latent/atlas.js';
import { multiples, roundLength } from '../lib/round-numbers.js';
import { screenX, screenY, visibleBox } from './camera.js';

/** The largest distance between lines, CSS pixels; the smallest is two fifths of it. */
const MAX_SPACING = 170;
/** Distance of numbers from the map's edge where there is no frame, CSS pixels. */
const EDGE = 16;
/** Direction from the centre in which the circles have their names. */
const NAME_ANGLE = -Math.PI / 12;

/** @type {(view: View) => number} */
const lineStep = ({ camera }) => roundLength(MAX_SPACING / camera.scale);

/**
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Box} extent  of the plane, which is outlined
 * @param {Theme} theme
 */
export function paintGraticule(context, view, extent, theme) {
  const { camera, width, height } = view;
  const step = lineStep(view);
  const box = visibleBox(view);
  context.strokeStyle = theme.ink;
  context.lineWidth = 1;
  for (const isZero of [false, true]) {
    context.globalAlpha = isZero ? 0.3 : 0.1;
    context.beginPath();
    for (const u of multiples(box.u0, box.u1, step)) {
      if ((u === 0) !== isZero) continue;
      const x = Math.round(screenX(camera, u)) + 0.5;
      context.moveTo(x, 0);
      context.lineTo(x, height);
    }
    for (const v of multiples(box.v0, box.v1, step)) {
      if ((v === 0) !== isZero) continue;
      const y = Math.round(screenY(camera, v)) + 0.5;
      context.moveTo(0, y);
      context.lineTo(width, y);
    }
    context.stroke();
  }
  context.globalAlpha = 0.45;
  const [left, top] = [screenX(camera, extent.u0), screenY(camera, extent.v1)];
  context.strokeRect(left, top, screenX(camera, extent.u1) - left, screenY(camera, extent.v0) - top);
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
 * Paint the circles' names, if there is room between them.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Atlas} atlas
 * @param {Theme} theme
 */
export function paintPriorNames(context, { camera }, { card, plane }, theme) {
  if (card.family !== 'vae' || camera.scale < MAX_SPACING / 4) return;
  const centre = priorCentre(plane);
  context.font = `italic 15px ${theme.serif}`;
  for (let sigmas = 1; sigmas <= PRIOR_SIGMAS; sigmas++) {
    const u = centre.u + sigmas * Math.cos(NAME_ANGLE);
    const v = centre.v + sigmas * Math.sin(NAME_ANGLE);
    label(context, theme, `${sigmas}σ`, screenX(camera, u), screenY(camera, v));
  }
}

/**
 * Paint the frame around the map, with the graticule's numbers in it.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {number} margin  width of the frame, CSS pixels; 0: there is none, and the numbers are at the axes
 * @param {Theme} theme
 */
export function paintFrame(context, view, margin, theme) {
  const { camera, width, height } = view;
  if (margin) {
    context.fillStyle = theme.ground;
    context.beginPath();
    context.rect(0, 0, width, height);
    context.rect(margin, margin, width - 2 * margin, height - 2 * margin);
    context.fill('evenodd');
    context.strokeStyle = theme.soft;
    context.lineWidth = 1;
    context.strokeRect(margin - 0.5, margin - 0.5, width - 2 * margin + 1, height - 2 * margin + 1);
  }
  const step = lineStep(view);
  const row = margin ? height - margin / 2 : Math.min(height - EDGE, Math.max(EDGE, screenY(camera, 0) + 10));
  const column = margin ? margin / 2 : Math.min(width - EDGE, Math.max(EDGE, screenX(camera, 0) - 10));
  const box = visibleBox(view);
  context.font = `11px ${theme.sans}`;
  for (const u of multiples(box.u0, box.u1, step)) {
    const x = screenX(camera, u);
    const isClear = margin ? x > margin && x < width - margin : u && x > 12 && x < width - 12;
    if (isClear) label(context, theme, name(u), x, row);
  }
  for (const v of multiples(box.v0, box.v1, step)) {
    const y = screenY(camera, v);
    const isClear = margin ? y > margin && y < height - margin : v;
    if (!isClear) continue;
    if (margin && context.measureText(name(v)).width > margin - 4) upright(context, theme, name(v), column, y);
    else label(context, theme, name(v), column, y);
  }
}

/** @type {(value: number) => string} */
const name = (value) => `${+value.toFixed(6)}`.replace('-', '−');

/**
 * Paint text with an outline in the ground's colour.
 *
 * @type {(context: CanvasRenderingContext2D, theme: Theme, text: string, x: number, y: number) => void}
 */
function label(context, theme, text, x, y) {
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.lineWidth = 5;
  context.strokeStyle = theme.ground;
  context.fillStyle = theme.ink;
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

/**
 * Paint text rotated by 90 degrees, where it is too wide for the frame.
 *
 * @type {(context: CanvasRenderingContext2D, theme: Theme, text: string, x: number, y: number) => void}
 */
function upright(context, theme, text, x, y) {
  context.save();
  context.translate(x, y);
  context.rotate(-Math.PI / 2);
  label(context, theme, text, 0, 0);
  context.restore();
}

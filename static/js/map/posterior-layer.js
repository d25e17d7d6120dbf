/**
 * The posterior of the visitor's image, to scale, and the paths.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../api.js').Encoded} Encoded
 * @typedef {import('./camera.js').Camera} Camera
 * @typedef {import('../latent/plane.js').Latent} Latent
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { createNearest } from '../latent/nearest.js';
import { ellipseOf, footOf } from '../latent/plane.js';
import { screenX, screenY } from './camera.js';

/** Radius of the ring around a neighbour, CSS pixels. */
const NEIGHBOUR_RADIUS = 4;
/** The neighbours of a posterior, cached because a moving map is painted often. @type {WeakMap<Encoded, Int32Array>} */
const neighbours = new WeakMap();

/**
 * Paint the mean as a cross, and the ellipses of one and two standard deviations.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Camera} camera
 * @param {Atlas} atlas
 * @param {Encoded} posterior
 * @param {Theme} theme
 */
export function paintPosterior(context, camera, { plane }, posterior, theme) {
  if (!posterior.mean) return;
  const mean = footOf(plane, posterior.mean);
  const x = screenX(camera, mean.u);
  const y = screenY(camera, mean.v);
  if (posterior.covariance) {
    const { major, minor, angle } = ellipseOf(plane, posterior.covariance);
    for (const sigmas of [2, 1]) {
      const scale = sigmas * camera.scale;
      context.beginPath();
      context.ellipse(x, y, major * scale, minor * scale, -angle, 0, 2 * Math.PI);
      context.globalAlpha = 0.22;
      context.fillStyle = theme.accent;
      context.fill();
      context.globalAlpha = 1;
      strokeOutlined(context, theme, 1.5);
    }
  }
  const arm = 9;
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [0, 1]]) {
    context.moveTo(x - arm * dx, y - arm * dy);
    context.lineTo(x + arm * dx, y + arm * dy);
  }
  strokeOutlined(context, theme, 1.5);
}

/**
 * Paint rings around the codes nearest to the posterior's mean.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Camera} camera
 * @param {Atlas} atlas
 * @param {Encoded} posterior
 * @param {Theme} theme
 */
export function paintNeighbours(context, camera, { codes, feet }, posterior, theme) {
  const { mean } = posterior;
  if (!mean || mean.length !== codes.dim) return;
  const near = neighbours.get(posterior) ?? createNearest(codes)(mean).indices;
  neighbours.set(posterior, near);
  context.beginPath();
  for (const index of near) {
    const x = screenX(camera, feet[2 * index]);
    const y = screenY(camera, feet[2 * index + 1]);
    context.moveTo(x + NEIGHBOUR_RADIUS, y);
    context.arc(x, y, NEIGHBOUR_RADIUS, 0, 2 * Math.PI);
  }
  strokeThin(context, theme);
}

/**
 * Paint another kind of path between the same ends as a thin line.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Camera} camera
 * @param {Atlas} atlas
 * @param {readonly Latent[]} latents
 * @param {Theme} theme
 */
export function paintOtherPath(context, camera, { plane }, latents, theme) {
  trace(context, camera, plane, latents);
  strokeThin(context, theme);
}

/**
 * @type {(
 *   context: CanvasRenderingContext2D, camera: Camera, plane: Atlas['plane'], latents: readonly Latent[]) => void}
 */
function trace(context, camera, plane, latents) {
  context.beginPath();
  for (const latent of latents) {
    const { u, v } = footOf(plane, latent);
    context.lineTo(screenX(camera, u), screenY(camera, v));
  }
  context.lineJoin = 'round';
}

/**
 * Paint a path as a line with a dot at each end; the start's dot is hollow.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Camera} camera
 * @param {Atlas} atlas
 * @param {readonly Latent[]} latents
 * @param {Theme} theme
 */
export function paintPath(context, camera, { plane }, latents, theme) {
  trace(context, camera, plane, latents);
  strokeOutlined(context, theme, 2);
  const ends = [footOf(plane, latents[0]), footOf(plane, latents[latents.length - 1])];
  for (const [foot, isStart] of /** @type {const} */ ([[ends[0], true], [ends[1], false]])) {
    context.beginPath();
    context.arc(screenX(camera, foot.u), screenY(camera, foot.v), 5, 0, 2 * Math.PI);
    context.fillStyle = isStart ? theme.ground : theme.accent;
    strokeOutlined(context, theme, 2);
    context.fill();
  }
}

/**
 * Stroke the current path in the accent colour, with an outline in the ground's colour.
 *
 * @type {(context: CanvasRenderingContext2D, theme: Theme, width: number) => void}
 */
function strokeOutlined(context, theme, width) {
  context.strokeStyle = theme.ground;
  context.lineWidth = width + 3;
  context.stroke();
  context.strokeStyle = theme.accent;
  context.lineWidth = width;
  context.stroke();
}

/**
 * Stroke the current path as a thin line of ink, with an outline in the ground's colour.
 *
 * @type {(context: CanvasRenderingContext2D, theme: Theme) => void}
 */
function strokeThin(context, theme) {
  context.strokeStyle = theme.ground;
  context.lineWidth = 3;
  context.stroke();
  context.strokeStyle = theme.ink;
  context.lineWidth = 1;
  context.stroke();
}

/**
 * The codes of the test images as dots. A graphics card paints them in one draw call; without one they are painted
 * pixel by pixel, because WebGL in software takes ten times as long.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../store.js').View} View
 * @typedef {import('../lib/theme.js').Theme} Theme
 *
 * @typedef {object} Look
 * @property {readonly string[]} colours  by label, as #rrggbb
 * @property {readonly number[]} alphas  by label
 * @property {readonly number[]} radii  by label, device pixels
 *
 * @typedef {object} Painter
 * @property {HTMLCanvasElement} canvas
 * @property {() => boolean} isLost  whether the WebGL context is lost, so that another painter is needed
 * @property {(view: View, atlas: Atlas, look: Look, density: number) => void} paint  on its canvas
 */
import { createPixelPainter } from './dots-pixels.js';
import { createCardPainter } from './dots-webgl.js';

/** The smallest and the largest radius of a dot, CSS pixels. */
const RADIUS = [0.85, 3];
/** The scale at which a dot has a radius of one CSS pixel. */
const UNIT_SCALE = 110;
/** How labels look that are filtered out, and those that are filtered for. */
const UNCHOSEN = { alpha: 0.2, growth: 1 };
const CHOSEN = { alpha: 1, growth: 1.3 };

/** Part of their opacity that the codes of more than two numbers have on the whole map, and the zoom where they have all. */
const FAINTEST = 0.3;
const FULL_ZOOM = 6;

/**
 * Return the part of their opacity that dots have. Codes of more than two numbers lie off the slice, in front of it and
 * behind; on the whole map they would hide it, so they come out as one zooms in.
 *
 * @param {Atlas} atlas
 * @param {View} view
 */
export function presence({ card }, { camera, whole }) {
  if (card.latent_dim === 2) return 1;
  const zoom = Math.max(1, camera.scale / whole.scale);
  return Math.min(1, FAINTEST + (1 - FAINTEST) * (Math.log(zoom) / Math.log(FULL_ZOOM)));
}

/** @returns {Painter} */
export const createPainter = () => createCardPainter() ?? createPixelPainter();

/**
 * Return the look of the dots.
 *
 * @param {number} scale  of the camera
 * @param {number} digits  bits of the labels to colour; 0: all
 * @param {Theme} theme
 * @param {number} density  device pixels per CSS pixel
 * @returns {Look}
 */
export function lookOf(scale, digits, theme, density) {
  const radius = density * Math.min(RADIUS[1], Math.max(RADIUS[0], Math.sqrt(scale / UNIT_SCALE)));
  const isChosen = theme.digits.map((_, d) => !digits || Boolean(digits & (1 << d)));
  return {
    colours: theme.digits.map((colour, d) => (isChosen[d] ? colour : theme.soft)),
    alphas: isChosen.map((chosen) => (chosen ? CHOSEN : UNCHOSEN).alpha),
    radii: isChosen.map((chosen) => radius * (chosen && digits ? CHOSEN : UNCHOSEN).growth),
  };
}

/**
 * The codes of the test images as dots, all of them in one draw call where the machine has a graphics card, and pixel
 * by pixel where it only pretends to: a card in software takes ten times as long.
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
 * @property {() => boolean} isLost  the card has been taken away, and another painter must be made
 * @property {(view: View, atlas: Atlas, look: Look, density: number) => void} paint  onto its canvas
 */
import { createCardPainter } from './dots-webgl.js';
import { createPixelPainter } from './dots-pixels.js';

/** Of a dot, CSS pixels: smaller where the map is. */
const RADIUS = [0.85, 3];
/** A dot is so large where a latent unit has so many pixels. */
const AT_SCALE = 110;
/** Of what the filter leaves out. */
const UNCHOSEN = { alpha: 0.2, growth: 1 };
const CHOSEN = { alpha: 1, growth: 1.3 };

/** @returns {Painter} */
export const createPainter = () => createCardPainter() ?? createPixelPainter();

/**
 * What the dots look like.
 *
 * @param {number} scale  of the camera
 * @param {number} digits  bits of those to colour; none: all
 * @param {Theme} theme
 * @param {number} density  device pixels per CSS pixel
 * @returns {Look}
 */
export function lookOf(scale, digits, theme, density) {
  const radius = density * Math.min(RADIUS[1], Math.max(RADIUS[0], Math.sqrt(scale / AT_SCALE)));
  const isChosen = theme.digits.map((_, d) => !digits || Boolean(digits & (1 << d)));
  return {
    colours: theme.digits.map((colour, d) => (isChosen[d] ? colour : theme.soft)),
    alphas: isChosen.map((chosen) => (chosen ? CHOSEN : UNCHOSEN).alpha),
    radii: isChosen.map((chosen) => radius * (chosen && digits ? CHOSEN : UNCHOSEN).growth),
  };
}

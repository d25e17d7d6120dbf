/**
 * The map at a time of the training: the grids of two moments, one fading into the other, and the codes between them.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('./camera.js').Camera} Camera
 * @typedef {import('../latent/training-moments.js').Moment} Moment
 * @typedef {import('../latent/training-moments.js').Past} Past
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { screenX, screenY } from './camera.js';
import { feetOf } from '../latent/training-moments.js';
import { createDeveloper } from './tint.js';

export function createPastPainter() {
  const developer = createDeveloper();
  /** @type {WeakMap<Moment, HTMLCanvasElement>} */
  let prints = new WeakMap();

  /** @param {Moment} moment */
  function printOf(moment) {
    const print = prints.get(moment) ?? developer.expose(moment.levels);
    prints.set(moment, print);
    return print;
  }

  return {
    /** @param {Theme} theme */
    dye(theme) {
      developer.dye(theme.ink);
      prints = new WeakMap();
    },

    /**
     * @param {CanvasRenderingContext2D} context  in CSS pixels
     * @param {Camera} camera
     * @param {Past} past
     * @param {number} opacity
     */
    paint(context, camera, { from, to, part }, opacity) {
      for (const [moment, strength] of /** @type {const} */ ([[from, 1 - part], [to, part]])) {
        if (!strength) continue;
        const { u0, u1, v1 } = moment.extent;
        const side = (u1 - u0) * camera.scale;
        context.globalAlpha = opacity * strength;
        context.drawImage(printOf(moment), screenX(camera, u0), screenY(camera, v1), side, side);
      }
      context.globalAlpha = 1;
    },
  };
}

/**
 * The codes of then in place of those of now.
 *
 * @param {Atlas} atlas
 * @param {Past} past
 * @returns {Atlas}
 */
export function scatterOf(atlas, past) {
  const feet = feetOf(past);
  return { ...atlas, feet, codes: { ...atlas.codes, count: feet.length / 2 } };
}

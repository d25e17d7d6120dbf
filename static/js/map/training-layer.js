/**
 * The map at a time of the training: the grids of two moments, blended, and the codes between them.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('./camera.js').Camera} Camera
 * @typedef {import('../latent/training-moments.js').Moment} Moment
 * @typedef {import('../latent/training-moments.js').TrainingTime} TrainingTime
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { feetOf } from '../latent/training-moments.js';
import { screenX, screenY } from './camera.js';
import { createTint } from './tint.js';

export function createTrainingLayer() {
  const tint = createTint();
  /** @type {WeakMap<Moment, HTMLCanvasElement>} */
  let images = new WeakMap();

  /** @param {Moment} moment */
  function imageOf(moment) {
    const image = images.get(moment) ?? tint.fromLevels(moment.levels, moment.image, moment.cells);
    images.set(moment, image);
    return image;
  }

  return {
    /** @param {Theme} theme */
    setTheme(theme) {
      tint.setColour(theme.ink);
      images = new WeakMap();
    },

    /**
     * @param {CanvasRenderingContext2D} context  in CSS pixels
     * @param {Camera} camera
     * @param {TrainingTime} trainingTime
     * @param {number} opacity
     */
    paint(context, camera, { from, to, part }, opacity) {
      for (const [moment, strength] of /** @type {const} */ ([[from, 1 - part], [to, part]])) {
        if (!strength) continue;
        const { u0, u1, v1 } = moment.extent;
        const side = (u1 - u0) * camera.scale;
        context.globalAlpha = opacity * strength;
        context.drawImage(imageOf(moment), screenX(camera, u0), screenY(camera, v1), side, side);
      }
      context.globalAlpha = 1;
    },
  };
}

/**
 * Return an atlas with the codes at a time of the training.
 *
 * @param {Atlas} atlas
 * @param {TrainingTime} trainingTime
 * @returns {Atlas}
 */
export function atlasAt(atlas, trainingTime) {
  const feet = feetOf(trainingTime);
  return { ...atlas, feet, codes: { ...atlas.codes, count: feet.length / 2 } };
}

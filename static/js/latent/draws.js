/**
 * Draws of latents: from N(0, I), or from the Gaussian fitted to a model's codes. No DOM.
 *
 * @typedef {import('../api.js').Codes} Codes
 * @typedef {import('./plane.js').Latent} Latent
 */
import { normalNoise } from '../lib/normal-noise.js';

/**
 * Draw from N(0, I).
 *
 * @param {number} dim
 * @param {number} count
 * @param {number} seed
 * @returns {Latent[]}
 */
export function drawStandard(dim, count, seed) {
  const noise = normalNoise(count * dim, seed);
  return Array.from({ length: count }, (_, i) => Array.from(noise.subarray(i * dim, (i + 1) * dim)));
}

/**
 * Draw from the Gaussian that has the mean and the covariance of the codes.
 *
 * @param {Codes} codes
 * @param {number} count
 * @param {number} seed
 * @returns {Latent[]}
 */
export function drawFitted(codes, count, seed) {
  const { mean, lower } = fittedGaussian(codes);
  return drawStandard(codes.dim, count, seed).map((noise) =>
    mean.map((centre, i) => lower[i].reduce((sum, factor, j) => sum + factor * noise[j], centre)),
  );
}

/**
 * Return the mean of the codes, and the Cholesky factor of their covariance, row by row up to the diagonal.
 *
 * @param {Codes} codes
 * @returns {{mean: number[], lower: number[][]}}
 */
export function fittedGaussian({ count, dim, values }) {
  const axes = Array.from({ length: dim }, (_, i) => i);
  const mean = axes.map((i) => {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += values[n * dim + i];
    return sum / count;
  });
  /** @type {number[][]} */
  const lower = [];
  for (const i of axes) {
    lower.push([]);
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let n = 0; n < count; n++) sum += (values[n * dim + i] - mean[i]) * (values[n * dim + j] - mean[j]);
      let rest = sum / count;
      for (let k = 0; k < j; k++) rest -= lower[i][k] * lower[j][k];
      if (i === j) lower[i].push(Math.sqrt(Math.max(0, rest)));
      else lower[i].push(lower[j][j] && rest / lower[j][j]);
    }
  }
  return { mean, lower };
}

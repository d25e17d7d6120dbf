/**
 * What the lessons on images of one's own are about: found in the cards, whatever the images show. No DOM.
 *
 * @typedef {import('../api.js').Card} Card
 */
import { hasPlane } from './model-groups.js';

/**
 * Return the VAEs of a model's images that differ in the weight of the KL term, by that weight; none if there is one.
 *
 * @param {readonly Card[]} models
 * @param {Card} card
 */
export function ladderOf(models, card) {
  const alike = models.filter(({ dataset, family, latent_dim: dim }) =>
    dataset === card.dataset && family === 'vae' && dim === card.latent_dim);
  const byBeta = new Map([...alike].reverse().map((one) => [one.beta ?? 0, one]));
  const rungs = [...byBeta.values()].sort((one, other) => (one.beta ?? 0) - (other.beta ?? 0));
  return rungs.length > 1 ? rungs : [];
}

/**
 * Return the other model of the same images whose draws are set beside those of a model.
 *
 * @param {readonly Card[]} models
 * @param {Card} card
 */
export function besideFor(models, card) {
  const others = models.filter((other) => other.dataset === card.dataset && other.id !== card.id && hasPlane(other));
  return others.find(({ family }) => family !== card.family) ?? others[0];
}

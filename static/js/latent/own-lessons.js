/**
 * What the lessons on images of one's own are about: found in the codes and the cards, whatever the images show. No DOM.
 *
 * @typedef {import('./atlas.js').Atlas} Atlas
 * @typedef {import('../api.js').Card} Card
 */
import { closeness } from './atlas.js';
import { hasPlane } from './model-groups.js';

/**
 * Return the two labels whose codes lie closest together: the smaller of their densities comes highest.
 *
 * @param {Atlas} atlas
 * @returns {[number, number] | null}  null: there are fewer than two
 */
export function closestLabels(atlas) {
  const labels = atlas.landmarks.map(({ label }) => label);
  /** @type {[number, number] | null} */
  let closest = null;
  let best = -1;
  for (const [i, a] of labels.entries()) {
    for (const b of labels.slice(i + 1)) {
      const close = closeness(atlas, a, b);
      if (close > best) [closest, best] = [[a, b], close];
    }
  }
  return closest;
}

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

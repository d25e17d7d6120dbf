/**
 * Which two models can be compared, and how their points are linked. No DOM.
 *
 * @typedef {import('../api.js').Card} Card
 * @typedef {import('../store.js').Link} Link
 */
import { referenceFor } from '../latent/measures.js';
import { hasPlane } from '../latent/model-groups.js';

/** Pairs of models that differ in one respect. @type {Readonly<Record<string, string>>} */
const PARTNERS = {
  'mnist-vae-2d': 'mnist-vae-2d-plain',
  'mnist-vae-2d-plain': 'mnist-ae-2d',
  'mnist-ae-2d': 'mnist-vae-2d-plain',
  'fashion-vae-2d-plain': 'fashion-ae-2d',
  'fashion-ae-2d': 'fashion-vae-2d-plain',
  'mnist-vae-2d-reconstruction-only': 'mnist-vae-2d-beta-1',
  'mnist-vae-2d-beta-025': 'mnist-vae-2d-beta-16',
  'mnist-vae-2d-beta-1': 'mnist-vae-2d-beta-64',
  'mnist-vae-2d-beta-4': 'mnist-vae-2d-beta-1',
  'mnist-vae-2d-beta-16': 'mnist-vae-2d-beta-1',
  'mnist-vae-2d-beta-64': 'mnist-vae-2d-beta-1',
  'mnist-vae-2d-gaussian': 'mnist-vae-2d-beta-1',
  'mnist-vae-2d-continuous-bernoulli': 'mnist-vae-2d-beta-1',
  'mnist-vae-20d': 'mnist-vae-20d-best',
  'mnist-vae-20d-best': 'mnist-vae-20d',
  'fashion-vae-2d': 'fashion-vae-2d-dropout',
  'fashion-vae-2d-dropout': 'fashion-vae-2d',
};

/**
 * Return the models whose maps can be compared with a model's map.
 *
 * @type {(models: readonly Card[], card: Card) => Card[]}
 */
export const candidatesFor = (models, card) => models.filter((other) => other.id !== card.id && hasPlane(other));

/**
 * Return the model to compare with another until the visitor chooses: its partner in `PARTNERS`, or the reference
 * model of its measures.
 *
 * @param {readonly Card[]} models
 * @param {Card} card
 * @param {string} fallback  id of the server's default model
 * @returns {Card | undefined}
 */
export function partnerOf(models, card, fallback) {
  const others = candidatesFor(models, card);
  return others.find(({ id }) => id === PARTNERS[card.id]) ?? referenceFor(others, card, fallback) ?? others[0];
}

/**
 * Return how two models are linked. Models of different data sets can be linked by coordinates only.
 *
 * @param {Link} wished
 * @param {Pick<Card, 'dataset'>} one
 * @param {Pick<Card, 'dataset'>} other
 * @returns {Link}
 */
export const linkOf = (wished, one, other) => (one.dataset === other.dataset ? wished : 'coordinates');

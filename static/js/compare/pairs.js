/**
 * Two models beside each other: which, and how their points may be linked. No DOM.
 *
 * @typedef {import('../api.js').Card} Card
 * @typedef {import('../store.js').Link} Link
 */
import { hasPlane } from '../latent/model-groups.js';
import { companionOf } from '../latent/measures.js';

/** @type {readonly Link[]} */
export const LINKS = ['image', 'coordinates'];

/** Models that differ in one thing only. @type {Readonly<Record<string, string>>} */
const PARTNERS = {
  'mnist-vae-2d': 'mnist-ae-2d',
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

/** The models whose maps can lie beside another's. @type {(models: readonly Card[], card: Card) => Card[]} */
export const candidatesFor = (models, card) => models.filter((other) => other.id !== card.id && hasPlane(other));

/**
 * The model to lay beside another until the visitor chooses: its natural partner, or else what its measures are held
 * against.
 *
 * @param {readonly Card[]} models
 * @param {Card} card
 * @param {string} fallback  id of the server's default model
 * @returns {Card | undefined}
 */
export function partnerOf(models, card, fallback) {
  const others = candidatesFor(models, card);
  return others.find(({ id }) => id === PARTNERS[card.id]) ?? companionOf(others, card, fallback) ?? others[0];
}

/**
 * How two models can be linked: only those of the same images by image.
 *
 * @param {Link} wished
 * @param {Pick<Card, 'dataset'>} one
 * @param {Pick<Card, 'dataset'>} other
 * @returns {Link}
 */
export const linkOf = (wished, one, other) => (one.dataset === other.dataset ? wished : 'coordinates');

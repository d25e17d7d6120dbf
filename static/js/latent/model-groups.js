/**
 * The models in their groups, and their short names. No DOM.
 *
 * @typedef {import('../api.js').Card} Card
 * @typedef {import('../api.js').ModelList} ModelList
 *
 * @typedef {object} Group
 * @property {string} id
 * @property {string} title
 * @property {string} about  what its models show, in a line
 * @property {readonly Card[]} models  at least one
 */

/**
 * Return the server's groups with their cards, in its order; empty groups are left out.
 *
 * @param {Pick<ModelList, 'models' | 'groups'>} list
 * @returns {Group[]}
 */
export function groupsOf({ models, groups }) {
  const known = groups.map(({ id, title, about, models: ids }) => {
    return { id, title, about, models: ids.flatMap((wanted) => models.find((card) => card.id === wanted) ?? []) };
  });
  return known.filter((group) => group.models.length > 0);
}

/** @type {Readonly<Record<string, string>>} */
const FAMILIES = { ae: 'AE', vae: 'VAE', vqvae: 'VQ-VAE' };

/**
 * Return the family and the size of the code: "VAE 2-D".
 *
 * @param {Card} card
 */
export function kindOfModel({ family, latent_dim: dim, planes }) {
  const name = FAMILIES[family] ?? family;
  return planes.length ? `${name} ${dim}-D` : `${name}, ${dim} entries`;
}

/**
 * Return the id without the name of its data set.
 *
 * @param {Card} card
 */
export const shortId = ({ id, dataset }) => {
  const prefix = `${dataset.replace(/-mnist$/, '')}-`;
  return id.startsWith(prefix) ? id.slice(prefix.length) : id;
};

/**
 * Return the title of a model, with its id if another of the same title is in the list.
 *
 * @param {Card} card
 * @param {readonly Group[]} groups
 */
export function distinctTitle({ id, title }, groups) {
  const isShared = groups.some(({ models }) => models.some((other) => other.title === title && other.id !== id));
  return isShared ? `${title} (${id})` : title;
}

/** Whether a model is still trained, and its checkpoint renewed. @type {(card: Pick<Card, 'metrics'>) => boolean} */
export const isInTraining = ({ metrics }) => 'progress' in metrics;

/** Whether a model has a plane that a map can show. @type {(card: Pick<Card, 'planes'>) => boolean} */
export const hasPlane = ({ planes }) => planes.length > 0;

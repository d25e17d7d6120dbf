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
 * Return the ends of a walk: typical test images of the two labels that lie farthest apart; of one label alone, the
 * image farthest from the middle of its codes, and the one farthest from that.
 *
 * @param {Atlas} atlas
 * @returns {[number, number]}
 */
export function walkEnds(atlas) {
  const { landmarks, feet, codes } = atlas;
  const points = landmarks.length > 1
    ? landmarks.map(({ index, point }) => ({ index, ...point }))
    : Array.from({ length: codes.count }, (_, index) => ({ index, u: feet[2 * index], v: feet[2 * index + 1] }));
  /** @type {(from: {u: number, v: number}) => typeof points[number]} */
  const farthestFrom = (from) =>
    points.reduce((best, one) => (distance(one, from) > distance(best, from) ? one : best), points[0]);
  if (landmarks.length <= 1) {
    const start = farthestFrom(meanOf(points));
    return [start.index, farthestFrom(start).index];
  }
  const pairs = points.map((start) => ({ start, end: farthestFrom(start) }));
  const longest = pairs.reduce((best, pair) =>
    distance(pair.start, pair.end) > distance(best.start, best.end) ? pair : best);
  return [longest.start.index, longest.end.index];
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

/** @type {(one: {u: number, v: number}, other: {u: number, v: number}) => number} */
const distance = (one, other) => Math.hypot(one.u - other.u, one.v - other.v);

/** @type {(points: readonly {u: number, v: number}[]) => {u: number, v: number}} */
const meanOf = (points) => ({
  u: points.reduce((sum, { u }) => sum + u / points.length, 0),
  v: points.reduce((sum, { v }) => sum + v / points.length, 0),
});

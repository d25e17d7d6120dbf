/**
 * A projection: the codes of many dimensions in a picture of two. What lies between codes in the picture is estimated
 * from those near by. No DOM.
 *
 * @typedef {import('../api.js').Codes} Codes
 * @typedef {import('./plane.js').Latent} Latent
 * @typedef {readonly [number, number]} Place  shares of the picture's side, from the left and from the top
 */
import { createNearest } from './nearest.js';

/** An estimate is a mean of so many codes. */
const NEAREST = 8;
/** A place snaps to a code that is no farther off than this share of the side. */
const SNAP = 0.008;
/** Share of the side that is left free around the codes. */
const MARGIN = 0.03;

/**
 * Scale the places of codes into the picture, their proportions kept; y points up in them.
 *
 * @param {Float32Array} places  x, y of each code
 * @returns {Float32Array}  from the left and from the top, in shares of the side
 */
export function fitted(places) {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < places.length; i += 2) {
    left = Math.min(left, places[i]);
    right = Math.max(right, places[i]);
    low = Math.min(low, places[i + 1]);
    high = Math.max(high, places[i + 1]);
  }
  const scale = (1 - 2 * MARGIN) / (Math.max(right - left, high - low) || 1);
  return places.map((value, i) =>
    i % 2 === 0 ? 0.5 + (value - (left + right) / 2) * scale : 0.5 - (value - (low + high) / 2) * scale);
}

/**
 * Find the rows nearest to a point, nearest first.
 *
 * @param {Float32Array} rows  of as many numbers as the point has
 * @param {readonly number[]} point
 * @returns {{index: number, squared: number}[]}  with the squared distances
 */
export function nearestRows(rows, point) {
  const count = rows.length / point.length;
  const search = createNearest({ count, dim: point.length, values: rows, labels: new Uint8Array(count) }, NEAREST);
  const { indices, squared } = search(point);
  return Array.from(indices, (index, i) => ({ index, squared: squared[i] }));
}

/**
 * Estimate the latent at a place: the mean of the nearest codes, weighted by the inverse of their squared distances in
 * the picture. A place on a code, or all but on it, has that code's latent.
 *
 * @type {(places: Float32Array, codes: Codes, place: Place) => number[]}
 */
export function latentAtPlace(places, codes, place) {
  const near = nearestRows(places, place);
  const rows = near[0].squared <= SNAP ** 2 ? [near[0]] : near;
  return weighted(codes.values, codes.dim, rows);
}

/**
 * Estimate the place of a latent in the same way, from the codes that are nearest in latent space.
 *
 * @type {(places: Float32Array, codes: Codes, latent: Latent) => Place}
 */
export function placeOfLatent(places, codes, latent) {
  const [x, y] = weighted(places, 2, nearestRows(codes.values, latent));
  return [x, y];
}

/** @type {(rows: Float32Array, dim: number, near: readonly {index: number, squared: number}[]) => number[]} */
function weighted(rows, dim, near) {
  const chosen = near[0].squared < 1e-12 ? near.slice(0, 1) : near;
  const weights = chosen.map(({ squared }) => 1 / Math.max(squared, 1e-12));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Array.from({ length: dim }, (_, i) =>
    chosen.reduce((total, { index }, n) => total + (weights[n] / sum) * rows[index * dim + i], 0));
}

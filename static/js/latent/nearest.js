/**
 * Finds the codes nearest to a latent. Pure mathematics, no DOM. It runs for every frame of a drag, so a search
 * allocates nothing.
 *
 * @typedef {import('../api.js').Codes} Codes
 *
 * @typedef {object} Neighbourhood
 * @property {Float64Array} share  by label: its share of the k nearest codes, 0..1
 * @property {Int32Array} indices  of the k nearest codes, nearest first
 * @property {Float64Array} squared  their squared distances
 * @property {number} index  of the nearest code; -1 if there is none
 * @property {number} distance  to the nearest code, in latent units
 * @property {number} reach  distance to the farthest of the k
 */

/** How many nearest codes are counted by default. */
export const NEIGHBOURS = 40;

/**
 * Return a search for the k nearest codes, by insertion into a sorted list.
 *
 * @param {Codes} codes
 * @param {number} [k]
 * @returns {(latent: ArrayLike<number>) => Neighbourhood}  the next call overwrites the result
 */
export function createNearest({ count, dim, values, labels }, k = NEIGHBOURS) {
  const kept = Math.min(k, count);
  const distances = new Float64Array(kept);
  const indices = new Int32Array(kept);
  const result = {
    share: new Float64Array(10), indices, squared: distances, index: -1, distance: Infinity, reach: Infinity,
  };

  return (latent) => {
    distances.fill(Infinity);
    for (let i = 0, at = 0; i < count; i++) {
      let squared = 0;
      for (let j = 0; j < dim; j++, at++) {
        const d = values[at] - latent[j];
        squared += d * d;
      }
      if (!(squared < distances[kept - 1])) continue;
      let slot = kept - 1;
      for (; slot > 0 && distances[slot - 1] > squared; slot--) {
        distances[slot] = distances[slot - 1];
        indices[slot] = indices[slot - 1];
      }
      distances[slot] = squared;
      indices[slot] = i;
    }
    result.share.fill(0);
    for (let i = 0; i < kept; i++) result.share[labels[indices[i]]] += 1 / kept;
    result.index = kept ? indices[0] : -1;
    result.distance = kept ? Math.sqrt(distances[0]) : Infinity;
    result.reach = kept ? Math.sqrt(distances[kept - 1]) : Infinity;
    return result;
  };
}

/**
 * Return the labels with a share above 0, largest first.
 *
 * @param {ArrayLike<number>} share
 * @returns {number[]}
 */
export function ranked(share) {
  return Array.from(share, (_, label) => label)
    .filter((label) => share[label] > 0)
    .sort((a, b) => share[b] - share[a] || a - b);
}

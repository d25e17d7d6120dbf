/**
 * Percentiles of the most recent measurements. Pure mathematics, no DOM.
 *
 * @typedef {object} Percentiles
 * @property {(value: number) => void} add
 * @property {(fraction: number) => number} quantile  NaN before the first measurement
 * @property {() => number} count
 *
 * @param {number} [size]  how many measurements are kept
 * @returns {Percentiles}
 */
export function createPercentiles(size = 200) {
  const ring = new Float64Array(size);
  let added = 0;
  const count = () => Math.min(added, size);
  return {
    add(value) {
      ring[added++ % size] = value;
    },
    /** By nearest rank, so the result is one of the measurements. */
    quantile(fraction) {
      const sorted = ring.slice(0, count()).sort();
      return sorted.length ? sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] : NaN;
    },
    count,
  };
}

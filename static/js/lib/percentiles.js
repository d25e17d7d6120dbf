/**
 * Percentiles of the most recent measurements. Pure mathematics, no DOM.
 *
 * @typedef {object} Latency
 * @property {(milliseconds: number) => void} add
 * @property {(fraction: number) => number} quantile  NaN before the first measurement
 * @property {() => number} count
 *
 * @param {number} [size]  how many are remembered
 * @returns {Latency}
 */
export function createLatency(size = 200) {
  const ring = new Float64Array(size);
  let added = 0;
  const count = () => Math.min(added, size);
  return {
    add(milliseconds) {
      ring[added++ % size] = milliseconds;
    },
    /** The nearest rank: a value that was really measured. */
    quantile(fraction) {
      const sorted = ring.slice(0, count()).sort();
      return sorted.length ? sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] : NaN;
    },
    count,
  };
}

/**
 * Return standard normal noise that depends on the seed alone.
 *
 * Uniform numbers by Marsaglia's xorshift (2003, doi:10.18637/jss.v008.i14), transformed in pairs as by Box and
 * Muller (1958). A small seed is spread over all bits by Knuth's multiplier first.
 *
 * @param {number} count
 * @param {number} [seed]  a whole number from 1 to 2^32 - 1
 * @returns {Float64Array}
 */
export function normalNoise(count, seed = 1) {
  let state = Math.imul(seed, 2_654_435_761);
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return Float64Array.from({ length: count }, () =>
    Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

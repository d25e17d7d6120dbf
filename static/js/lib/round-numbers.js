/**
 * Round numbers for scales and grids. Pure mathematics, no DOM.
 */

/**
 * Return the largest of 1, 2, 5 x 10^k that is at most `length`.
 *
 * @param {number} length  above 0
 */
export function roundLength(length) {
  const power = 10 ** Math.floor(Math.log10(length));
  const first = length / power;
  return (first >= 5 ? 5 : first >= 2 ? 2 : 1) * power;
}

/**
 * Return the multiples of a step from `low` to `high`, both included.
 *
 * @type {(low: number, high: number, step: number) => number[]}
 */
export function multiples(low, high, step) {
  const found = [];
  for (let k = Math.ceil(low / step); k <= Math.floor(high / step); k++) found.push(k * step || 0);
  return found;
}

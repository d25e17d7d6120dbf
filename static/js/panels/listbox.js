/**
 * Keyboard navigation in a list of several columns: sideways, and by typing the first letters. No DOM.
 *
 * @typedef {object} Place  of an option on the screen, CSS pixels
 * @property {number} column  its left edge, equal for all options of a column
 * @property {number} middle  the vertical middle
 */

/** Letters typed within this time belong to one word. */
const WORD_MILLISECONDS = 700;

/**
 * Return the nearest option in the next column.
 *
 * @param {readonly Place[]} places
 * @param {number} at  index of the option to start from
 * @param {1 | -1} direction  1: right, -1: left
 * @returns {number}  its index; `at` if there is no such column
 */
export function inNextColumn(places, at, direction) {
  const from = places[at];
  const columns = places.map(({ column }) => column).filter((column) => direction * (column - from.column) > 0);
  const next = direction * Math.min(...columns.map((column) => direction * column));
  let best = at;
  let least = Infinity;
  places.forEach(({ column, middle }, i) => {
    if (column !== next || Math.abs(middle - from.middle) >= least) return;
    best = i;
    least = Math.abs(middle - from.middle);
  });
  return best;
}

/**
 * @param {() => number} [now]  milliseconds
 */
export function createTypeAhead(now = () => performance.now()) {
  let word = '';
  let typedAt = -Infinity;
  const isOngoing = () => word !== '' && now() - typedAt < WORD_MILLISECONDS;
  return {
    /** Return whether a space would continue a word. */
    isOngoing,
    /**
     * Return the next option with a word that starts with what was typed. A first letter searches from the next
     * option.
     *
     * @param {string} letter
     * @param {readonly string[]} texts  of the options
     * @param {number} at  index of the current option
     * @returns {number}  its index; `at` if there is none
     */
    find(letter, texts, at) {
      word = isOngoing() ? word + letter.toLowerCase() : letter.toLowerCase();
      typedAt = now();
      const first = word.length === 1 ? at + 1 : at;
      const order = texts.map((_, i) => (first + i) % texts.length);
      return order.find((i) => ` ${texts[i].toLowerCase()}`.includes(` ${word}`)) ?? at;
    },
  };
}

/**
 * Finding one's way through a list that stands in columns: to the side, and by the first letters. No DOM.
 *
 * @typedef {object} Place  of an entry on the screen, CSS pixels
 * @property {number} column  its left edge: the same for all of a column
 * @property {number} middle  its height
 */

/** Letters that follow sooner than this belong to one word. */
const WORD_MILLISECONDS = 700;

/**
 * The entry of the next column that stands nearest.
 *
 * @param {readonly Place[]} places
 * @param {number} at  the entry to go from
 * @param {1 | -1} way  to the right, or to the left
 * @returns {number}  `at` where there is no such column
 */
export function inNextColumn(places, at, way) {
  const from = places[at];
  const columns = places.map(({ column }) => column).filter((column) => way * (column - from.column) > 0);
  const next = way * Math.min(...columns.map((column) => way * column));
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
    /** Whether a space would go on with a word. */
    isOngoing,
    /**
     * The next entry that has a word which starts as what was typed; a first letter goes on from the entry at hand.
     *
     * @param {string} letter
     * @param {readonly string[]} texts  of the entries
     * @param {number} at  the entry at hand
     * @returns {number}  `at` if there is none
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

/**
 * The stylesheet's colours and fonts, for painting on a canvas.
 *
 * @typedef {object} Theme
 * @property {string} ground
 * @property {string} ink
 * @property {string} soft  ink for what is less important
 * @property {string} accent
 * @property {string} serif
 * @property {string} sans
 * @property {number} type  size of type, relative to that of most screens
 * @property {boolean} isDark
 * @property {readonly string[]} digits  the colour of each label
 */

/** @returns {Theme} */
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    ground: read('--ground'),
    ink: read('--ink'),
    soft: read('--soft'),
    accent: read('--accent'),
    serif: read('--serif'),
    sans: read('--sans'),
    type: Number(read('--type')),
    isDark: isDark(read('--ground')),
    digits: Array.from({ length: 10 }, (_, d) => read(`--digit-${d}`)),
  };
}

/** What the theme depends on; the last is the stylesheet's width from which type grows. */
const QUERIES = ['(prefers-color-scheme: dark)', '(forced-colors: active)', '(min-width: 110rem)'];

/**
 * Call back with the theme, at once and whenever the system changes between dark and light or forced colours, or the
 * window becomes wide enough for larger type.
 *
 * @param {(theme: Theme) => void} listener
 * @returns {() => void}  ends it
 */
export function watchTheme(listener) {
  const queries = QUERIES.map((query) => matchMedia(query));
  const notify = () => listener(readTheme());
  for (const query of queries) query.addEventListener('change', notify);
  notify();
  return () => queries.forEach((query) => query.removeEventListener('change', notify));
}

/**
 * Return red, green and blue of a colour written as #rrggbb, 0..255.
 *
 * @param {string} colour
 */
export const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

/** @param {string} ground */
const isDark = (ground) => channels(ground).reduce((sum, channel) => sum + channel) < 384;

/** @returns {boolean} */
export const prefersStillness = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

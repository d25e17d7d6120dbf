/**
 * Fields: a number for every place of the plane, in levels, and the colours that stand for them. No DOM.
 *
 * @typedef {import('../map-layers.js').FieldId} FieldId
 */

/** Cells on a side. */
export const CELLS = 128;

/**
 * Colours of even steps in lightness, from what is least to what is greatest: matplotlib's magma, viridis and mako, of
 * which any can be told apart by lightness alone.
 *
 * @type {Readonly<Record<Exclude<FieldId, 'label'>, readonly string[]>>}
 */
const RAMPS = {
  density: ['#000004', '#221150', '#5f187f', '#982d80', '#d3436e', '#f8765c', '#febb81', '#fcfdbf'],
  magnification: ['#440154', '#46327e', '#365c8d', '#277f8e', '#1fa187', '#4ac16d', '#a0da39', '#fde725'],
  entropy: ['#0b0405', '#2e1e3c', '#413d7b', '#37659e', '#348fa7', '#40b7ad', '#8ad9b1', '#def5e5'],
};

/**
 * The colours of a ramp, from the least to the greatest: what is least is nearest to the ground.
 *
 * @param {Exclude<FieldId, 'label'>} field
 * @param {boolean} isDark  the ground
 */
export const rampOf = (field, isDark) => (isDark ? RAMPS[field] : [...RAMPS[field]].reverse());

/**
 * A table of 256 colours along a ramp, each as three bytes.
 *
 * @param {readonly string[]} ramp  of #rrggbb
 * @returns {Uint8Array}  red, green and blue of each in turn
 */
export function tableOf(ramp) {
  const stops = ramp.map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));
  const table = new Uint8Array(3 * 256);
  for (let level = 0; level < 256; level++) {
    const place = (level / 255) * (stops.length - 1);
    const stop = Math.min(stops.length - 2, Math.floor(place));
    for (let c = 0; c < 3; c++) {
      table[3 * level + c] = Math.round(stops[stop][c] + (place - stop) * (stops[stop + 1][c] - stops[stop][c]));
    }
  }
  return table;
}

/**
 * A number in three digits, as a legend shows it.
 *
 * @param {number} value
 */
export function short(value) {
  if (!Number.isFinite(value)) return '';
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(0).replace('-', '−');
  return `${Number(value.toPrecision(3))}`.replace('-', '−');
}

/**
 * The colours of fields, which are grids of one level, 0..255, per cell of the plane. No DOM.
 *
 * @typedef {import('../map-layers.js').FieldId} FieldId
 */
import { channels } from '../lib/theme.js';

/** Cells on a side of a field. */
export const CELLS = 128;

/**
 * Colours in even steps of lightness, from low to high: matplotlib's magma and viridis, and seaborn's mako. Lightness
 * alone tells any two apart.
 *
 * @type {Readonly<Record<Exclude<FieldId, 'label'>, readonly string[]>>}
 */
const RAMPS = {
  density: ['#000004', '#221150', '#5f187f', '#982d80', '#d3436e', '#f8765c', '#febb81', '#fcfdbf'],
  magnification: ['#440154', '#46327e', '#365c8d', '#277f8e', '#1fa187', '#4ac16d', '#a0da39', '#fde725'],
  entropy: ['#0b0405', '#2e1e3c', '#413d7b', '#37659e', '#348fa7', '#40b7ad', '#8ad9b1', '#def5e5'],
};

/**
 * Return the colours of a ramp, from low to high. Low values are closest to the ground's colour.
 *
 * @param {Exclude<FieldId, 'label'>} field
 * @param {boolean} isDark  whether the ground is dark
 */
export const rampOf = (field, isDark) => (isDark ? RAMPS[field] : [...RAMPS[field]].reverse());

/**
 * Return 256 colours along a ramp, three bytes each.
 *
 * @param {readonly string[]} ramp  of #rrggbb
 * @returns {Uint8Array}  red, green, blue, red, ...
 */
export function tableOf(ramp) {
  const stops = ramp.map(channels);
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
 * Format a number with three significant digits, for a legend.
 *
 * @param {number} value
 */
export function formatShort(value) {
  if (!Number.isFinite(value)) return '';
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(0).replace('-', '−');
  return `${Number(value.toPrecision(3))}`.replace('-', '−');
}

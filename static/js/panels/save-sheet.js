/**
 * The view of the map as an SVG document with a frame: title, coordinates, the point and the legend. No DOM.
 *
 * @typedef {object} Sheet
 * @property {number} width  of the map, CSS pixels
 * @property {number} height
 * @property {string} picture  the map, as a data URL
 * @property {string} title
 * @property {string} subtitle
 * @property {readonly {at: number, text: string}[]} columns  coordinates along the lower edge, pixels from the left
 * @property {readonly {at: number, text: string}[]} rows  along the left edge, pixels from the top
 * @property {{x: number, y: number, picture: string} | null} point  the ring's middle, and its image
 * @property {readonly {name: string, colour: string}[]} key
 * @property {{ground: string, ink: string, soft: string, accent: string, serif: string, sans: string}} theme
 */
import { multiples } from '../lib/round-numbers.js';

const [LEFT, TOP, RIGHT, BOTTOM] = [44, 64, 16, 68];
/** Radius of the ring, CSS pixels. */
export const RADIUS = 26;

/**
 * @param {Sheet} sheet
 * @returns {string}  an SVG document
 */
export function sheetOf({ width, height, picture, title, subtitle, columns, rows, point, key, theme }) {
  const [w, h] = [LEFT + width + RIGHT, TOP + height + BOTTOM];
  const step = width / Math.max(1, key.length);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" font-family="${escaped(theme.sans)}" font-size="13" fill="${theme.ink}">
<title>${escaped(`${title}: ${subtitle}`)}</title>
<rect width="${w}" height="${h}" fill="${theme.ground}"/>
<text x="${LEFT}" y="28" font-family="${escaped(theme.serif)}" font-size="20" font-weight="600">${escaped(title)}</text>
<text x="${LEFT}" y="50" fill="${theme.soft}">${escaped(subtitle)}</text>
<svg x="${LEFT}" y="${TOP}" width="${width}" height="${height}">
<image width="${width}" height="${height}" href="${picture}"/>
${point ? ringOf(point, theme.accent) : ''}</svg>
<rect x="${LEFT}" y="${TOP}" width="${width}" height="${height}" fill="none" stroke="${theme.ink}"/>
<g fill="${theme.soft}" text-anchor="middle">
${columns.map(({ at, text }) => `<text x="${round(LEFT + at)}" y="${TOP + height + 18}">${escaped(text)}</text>`).join('\n')}
</g>
<g fill="${theme.soft}" text-anchor="end">
${rows.map(({ at, text }) => `<text x="${LEFT - 8}" y="${round(TOP + at + 4)}">${escaped(text)}</text>`).join('\n')}
</g>
<g>
${key.map(({ name, colour }, i) => `<rect x="${round(LEFT + i * step)}" y="${h - 30}" width="12" height="12" fill="${colour}"/><text x="${round(LEFT + i * step + 17)}" y="${h - 19}">${escaped(name)}</text>`).join('\n')}
</g>
</svg>
`;
}

/** @type {(point: {x: number, y: number, picture: string}, accent: string) => string} */
const ringOf = ({ x, y, picture }, accent) => `<clipPath id="lens"><circle cx="${round(x)}" cy="${round(y)}" r="${RADIUS}"/></clipPath>
<image x="${round(x - RADIUS)}" y="${round(y - RADIUS)}" width="${2 * RADIUS}" height="${2 * RADIUS}" href="${picture}" clip-path="url(#lens)"/>
<circle cx="${round(x)}" cy="${round(y)}" r="${RADIUS}" fill="none" stroke="${accent}" stroke-width="3"/>
`;

/**
 * Return the multiples of a step between two coordinates, with their distance from `from` in pixels.
 *
 * @param {number} from  coordinate at 0
 * @param {number} to  at `length`
 * @param {number} length  pixels
 * @param {number} step
 */
export function ticksOf(from, to, length, step) {
  const [low, high] = from < to ? [from, to] : [to, from];
  return multiples(low, high, step).map((value) => ({
    at: ((value - from) / (to - from)) * length,
    text: `${+value.toPrecision(6)}`.replace('-', '−'),
  }));
}

/** @type {(value: number) => number} */
const round = (value) => +value.toFixed(2);

/** @type {(text: string) => string} */
const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

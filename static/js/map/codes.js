/**
 * The codes of the test images as dots, painted once and kept until filter, camera, model or theme changes.
 *
 * @typedef {import('../atlas.js').Atlas} Atlas
 * @typedef {import('../camera.js').Camera} Camera
 * @typedef {import('../theme.js').Theme} Theme
 */
import { apart, screenX, screenY } from '../camera.js';
import { hasWords, labelsOf } from '../labels.js';

/** Of a dot, CSS pixels: smaller where the map is. */
const RADIUS = [0.8, 1.2];
/** Of a name. */
const NAME_SIZE = [17, 30];
/** A name of several letters is set smaller. */
const WORD_SIZE = 0.68;
/** Of a word, against its height. */
const WORD_BREADTH = 3.5;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Camera} camera
 * @param {Atlas} atlas
 * @param {number} digits  bits of those to colour; none: all
 * @param {Theme} theme
 */
export function paintCodes(context, camera, atlas, digits, theme) {
  const dot = between(RADIUS, camera.scale / 90);
  /** @type {(d: number) => boolean} */
  const chosen = (d) => !digits || Boolean(digits & (1 << d));
  const order = [...theme.digits.keys()].sort((a, b) => Number(chosen(a)) - Number(chosen(b)));
  for (const d of order) {
    context.fillStyle = chosen(d) ? theme.digits[d] : theme.soft;
    context.globalAlpha = chosen(d) ? 0.85 : 0.2;
    const radius = chosen(d) && digits ? 1.3 * dot : dot;
    context.beginPath();
    for (let i = 0; i < atlas.codes.count; i++) {
      if (atlas.codes.labels[i] !== d) continue;
      const x = screenX(camera, atlas.feet[2 * i]);
      const y = screenY(camera, atlas.feet[2 * i + 1]);
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    context.fill();
  }
  context.globalAlpha = 1;
}

/** @type {(range: readonly number[], value: number) => number} */
const between = ([least, most], value) => Math.min(most, Math.max(least, value));

/**
 * Each label's name where it is densest, as an atlas names its countries.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Camera} camera
 * @param {Atlas} atlas
 * @param {number} digits
 * @param {Theme} theme
 */
export function paintNames(context, camera, atlas, digits, theme) {
  const { dataset } = atlas.card;
  const size = between(NAME_SIZE, camera.scale / 3.8) * (hasWords(dataset) ? WORD_SIZE : 1);
  context.font = `600 ${size}px ${theme.serif}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.lineWidth = size / 4;
  context.strokeStyle = theme.ground;
  // A word is wider than it is high: what lies beside it must go farther than what lies below.
  const breadth = hasWords(dataset) ? WORD_BREADTH : 1;
  const spots = apart(
    atlas.landmarks.map(({ point }) => ({ x: screenX(camera, point.u) / breadth, y: screenY(camera, point.v) })),
    size,
  ).map(({ x, y }) => ({ x: breadth * x, y }));
  for (const [i, { label }] of atlas.landmarks.entries()) {
    const isChosen = !digits || digits & (1 << label);
    const { x, y } = spots[i];
    context.fillStyle = isChosen ? theme.ink : theme.soft;
    context.globalAlpha = isChosen ? 1 : 0.5;
    const { name } = labelsOf(dataset)[label];
    context.strokeText(name, x, y);
    context.fillText(name, x, y);
  }
  context.globalAlpha = 1;
}

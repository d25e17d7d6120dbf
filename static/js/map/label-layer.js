/**
 * The labels' names, each where it is densest, as an atlas names its countries.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('./camera.js').Camera} Camera
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { screenX, screenY } from './camera.js';
import { apart } from './label-layout.js';
import { hasWords, labelsOf } from '../latent/labels.js';

/** Of a name. */
const NAME_SIZE = [17, 30];
/** A name of several letters is set smaller. */
const WORD_SIZE = 0.68;
/** Of a word, against its height. */
const WORD_BREADTH = 3.5;

/** @type {(range: readonly number[], value: number) => number} */
const between = ([least, most], value) => Math.min(most, Math.max(least, value));

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Camera} camera
 * @param {Atlas} atlas
 * @param {number} digits  bits of those that are chosen; none: all
 * @param {Theme} theme
 * @param {number} opacity
 */
export function paintLabels(context, camera, atlas, digits, theme, opacity) {
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
    context.globalAlpha = opacity * (isChosen ? 1 : 0.5);
    const { name } = labelsOf(dataset)[label];
    context.strokeText(name, x, y);
    context.fillText(name, x, y);
  }
  context.globalAlpha = 1;
}

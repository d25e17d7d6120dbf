/**
 * The names of the labels, each where its codes are densest.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('./camera.js').Camera} Camera
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { hasWords, labelsOf } from '../latent/labels.js';
import { screenX, screenY } from './camera.js';
import { keepApart } from './label-layout.js';

/** The smallest and the largest font size of a name, CSS pixels. */
const NAME_SIZE = [17, 30];
/** Words have this part of a digit's font size. */
const WORD_SIZE = 0.68;
/** Width of a word, relative to its height. */
const WORD_BREADTH = 3.5;

/** @type {(range: readonly number[], value: number) => number} */
const limited = ([min, max], value) => Math.min(max, Math.max(min, value));

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Camera} camera
 * @param {Atlas} atlas
 * @param {number} digits  bits of the labels to emphasise; 0: all
 * @param {Theme} theme
 * @param {number} opacity
 */
export function paintLabels(context, camera, atlas, digits, theme, opacity) {
  const { dataset } = atlas.card;
  const size = limited(NAME_SIZE, camera.scale / 3.8) * (hasWords(dataset) ? WORD_SIZE : 1);
  context.font = `600 ${size}px ${theme.serif}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.lineWidth = size / 4;
  context.strokeStyle = theme.ground;
  // A word is wider than high, so names keep a larger distance horizontally than vertically.
  const breadth = hasWords(dataset) ? WORD_BREADTH : 1;
  const places = keepApart(
    atlas.landmarks.map(({ point }) => ({ x: screenX(camera, point.u) / breadth, y: screenY(camera, point.v) })),
    size,
  ).map(({ x, y }) => ({ x: breadth * x, y }));
  for (const [i, { label }] of atlas.landmarks.entries()) {
    const isChosen = !digits || digits & (1 << label);
    const { x, y } = places[i];
    context.fillStyle = isChosen ? theme.ink : theme.soft;
    context.globalAlpha = opacity * (isChosen ? 1 : 0.5);
    const { name } = labelsOf(dataset)[label];
    context.strokeText(name, x, y);
    context.fillText(name, x, y);
  }
  context.globalAlpha = 1;
}

/**
 * All text on the map: the names of the labels, each where its codes are densest, those of the prior's circles, and
 * the numbers of the axes where there is no frame. One rule places them all, so that none lies on another or under a
 * card; what has no room is left out.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../store.js').View} View
 * @typedef {import('./camera.js').Rect} Rect
 * @typedef {import('./camera.js').Screen} Screen
 * @typedef {import('../lib/theme.js').Theme} Theme
 *
 * @typedef {object} Style
 * @property {string} font
 * @property {string} colour
 * @property {number} opacity
 * @property {number} halo  width of the outline in the ground's colour, CSS pixels
 *
 * @typedef {import('./label-layout.js').Label & Style & {text: string}} Text
 */
import { hasWords, labelsOf } from '../latent/labels.js';
import { screenX, screenY } from './camera.js';
import { placeLabels, placesAround } from './label-layout.js';
import { holds } from './rects.js';

/** The smallest and the largest font size of a name, CSS pixels. */
const NAME_SIZE = [17, 30];
/** Words have this part of a digit's font size. */
const WORD_SIZE = 0.68;
/** Height of a name's letters, relative to its font size. */
const NAME_HEIGHT = 0.95;

/** @type {(range: readonly number[], value: number) => number} */
const limited = ([min, max], value) => Math.min(max, Math.max(min, value));

/**
 * Return the names of the labels.
 *
 * @param {CanvasRenderingContext2D} context  for the width of text
 * @param {View} view
 * @param {Atlas} atlas
 * @param {number} digits  bits of the labels to emphasise; 0: all
 * @param {Theme} theme
 * @param {number} opacity
 * @returns {Text[]}
 */
export function namesOf(context, { camera, covers }, atlas, digits, theme, opacity) {
  const { dataset } = atlas.card;
  const size = theme.type * limited(NAME_SIZE, camera.scale / 3.8) * (hasWords(dataset) ? WORD_SIZE : 1);
  const font = `600 ${size}px ${theme.serif}`;
  context.font = font;
  const spots = atlas.landmarks.map(({ point }) => ({ x: screenX(camera, point.u), y: screenY(camera, point.v) }));
  return atlas.landmarks.map(({ label }, i) => {
    const isChosen = !digits || Boolean(digits & (1 << label));
    const text = labelsOf(dataset)[label].name;
    const [width, height] = [context.measureText(text).width + size / 4, NAME_HEIGHT * size];
    const place = spots[i];
    const isCovered = covers.some((cover) => holds(cover, place));
    return {
      text,
      font,
      colour: isChosen ? theme.ink : theme.soft,
      opacity: opacity * (isChosen ? 1 : 0.5),
      halo: size / 4,
      width,
      height,
      places: isCovered ? [] : placesAround(place, width, height, spots),
    };
  });
}

/**
 * Paint texts, each where there is room for it.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {readonly Text[]} texts  the most important first
 * @param {readonly Rect[]} obstacles
 * @param {Rect} within
 * @param {Theme} theme
 * @returns {(Rect | null)[]}  where each text is; null: there is no room for it
 */
export function paintTexts(context, texts, obstacles, within, theme) {
  const rects = placeLabels(texts, obstacles, within);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.strokeStyle = theme.ground;
  texts.forEach(({ text, font, colour, opacity, halo }, i) => {
    const rect = rects[i];
    if (!rect) return;
    const [x, y] = [(rect.left + rect.right) / 2, (rect.top + rect.bottom) / 2];
    context.font = font;
    context.lineWidth = halo;
    context.fillStyle = colour;
    context.globalAlpha = opacity;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  });
  context.globalAlpha = 1;
  return rects;
}

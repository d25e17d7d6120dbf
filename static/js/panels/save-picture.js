/**
 * Pictures of the map with the ring on it: as the window shows it, or with a title for a preview of the link.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { footOf } from '../latent/plane.js';
import { isColour, longestOf, shortestOf, sizeOf } from '../lib/image-shape.js';
import { canvasOf, contextOf } from '../lib/pixels.js';
import { screenX, screenY } from '../map/camera.js';
import { RADIUS } from './save-sheet.js';

/** Pixels of a picture that networks and chats show beside a link. */
const SHARED = { width: 1200, height: 630 };
/** Width of the map on it, and of the margin around the rest. */
const MAP = 800;
const MARGIN = 50;
const LINE = 34;

/**
 * Return the ring's place on the map and its image in the theme's colours; null without a map.
 *
 * @param {Store} store
 * @param {Theme} theme
 */
export function ringOf(store, theme) {
  const { atlas, view, latent, frame } = store.get();
  if (!atlas || !view || !latent || !frame) return null;
  const foot = footOf(atlas.plane, latent);
  const isPaper = !theme.isDark && !isColour(frame.image);
  const lens = canvasOf(isPaper ? frame.pixels.map((level) => 255 - level) : frame.pixels, frame.image);
  return { x: screenX(view.camera, foot.u), y: screenY(view.camera, foot.v), lens, image: frame.image };
}

/**
 * Return the map and the ring at a density, in pixels per CSS pixel; null without a map.
 *
 * @type {(store: Store, theme: Theme, density: number) => HTMLCanvasElement | null}
 */
export function pictureOf(store, theme, density) {
  const canvas = store.get().renderMap?.(density, true) ?? null;
  const ring = canvas && ringOf(store, theme);
  if (!ring) return canvas;
  const context = contextOf(canvas);
  context.setTransform(density, 0, 0, density, 0, 0);
  context.beginPath();
  context.arc(ring.x, ring.y, RADIUS, 0, 2 * Math.PI);
  context.save();
  context.clip();
  const { width, height } = sizeOf(ring.image, (2 * RADIUS * longestOf(ring.image)) / shortestOf(ring.image));
  context.drawImage(ring.lens, ring.x - width / 2, ring.y - height / 2, width, height);
  context.restore();
  context.strokeStyle = theme.accent;
  context.lineWidth = 3;
  context.stroke();
  return canvas;
}

/**
 * Return the map beside the decoded image, with the model's title, at the size of a link's preview.
 *
 * @type {(store: Store, theme: Theme) => HTMLCanvasElement | null}
 */
export function titledPictureOf(store, theme) {
  const { shown, view, latent, atlas } = store.get();
  const density = 2;
  const map = pictureOf(store, theme, density);
  const ring = ringOf(store, theme);
  if (!map || !ring || !shown || !view || !latent || !atlas) return null;
  const canvas = document.createElement('canvas');
  Object.assign(canvas, SHARED);
  const context = contextOf(canvas);
  context.fillStyle = theme.ground;
  context.fillRect(0, 0, SHARED.width, SHARED.height);
  // As much of the map as the first view has from top to bottom, around the middle of what is seen.
  const height = Math.min(view.height, (view.width * SHARED.height) / MAP);
  const width = (height * MAP) / SHARED.height;
  const left = Math.max(0, Math.min(view.width - width, view.limits.eye.x - width / 2));
  const top = Math.max(0, Math.min(view.height - height, view.limits.eye.y - height / 2));
  const source = [left, top, width, height].map((length) => density * length);
  context.drawImage(map, source[0], source[1], source[2], source[3], 0, 0, MAP, SHARED.height);
  const x = MAP + MARGIN;
  const side = SHARED.width - MAP - 2 * MARGIN;
  context.imageSmoothingEnabled = true;
  const large = sizeOf(ring.image, side);
  context.drawImage(ring.lens, x, MARGIN, large.width, large.height);
  context.fillStyle = theme.ink;
  context.font = `600 28px ${theme.serif}`;
  const lines = wrapped(context, shown.title, side);
  lines.forEach((line, i) => context.fillText(line, x, MARGIN + side + 56 + i * LINE));
  context.fillStyle = theme.soft;
  context.font = `20px ${theme.sans}`;
  const foot = footOf(atlas.plane, latent);
  const numbers = `${signed(foot.u)}, ${signed(foot.v)}`;
  context.fillText(numbers, x, MARGIN + side + 64 + lines.length * LINE);
  context.fillText('Latent Explorer', x, SHARED.height - MARGIN);
  return canvas;
}

/** Break a text into lines that fit a width. @type {(context: CanvasRenderingContext2D, text: string, width: number) => string[]} */
function wrapped(context, text, width) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(' ')) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** @type {(value: number) => string} */
const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;

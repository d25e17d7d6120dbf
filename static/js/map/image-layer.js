/**
 * The test images at their codes, shown when few enough are visible to have room.
 *
 * @typedef {import('../store.js').View} View
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../lib/theme.js').Theme} Theme
 *
 * @typedef {object} Sheet
 * @property {HTMLCanvasElement} canvas
 * @property {boolean} isInk  whether its light and dark follow the theme
 */
import { isColour, longestOf, sizeOf } from '../lib/image-shape.js';
import { contextOf, contextWith } from '../lib/pixels.js';
import { retry } from '../lib/retry.js';
import { screenX, screenY } from './camera.js';

/** Images on a side of a sprite sheet. */
export const SHEET = 32;
/** An image on the map is this much larger than its own size, with a frame in the colour of its label, CSS pixels. */
const GROWTH = 4;
const FRAME = 2;
/** Its longer side without the frame, at most. */
const MAX_SIZE = 56;
/** The total area of the images is at most this part of the map. */
const MAX_COVER = 1 / 4;

/**
 * @param {Api} api
 * @param {() => void} onChange  called when there is something new to paint
 */
export function createImageLayer(api, onChange) {
  /** By data set and number; null: loading. @type {Map<string, Sheet | null>} */
  const sheets = new Map();
  let isDark = true;

  /** @type {(card: Atlas['card'], n: number) => Promise<void>} */
  async function fetchSheet({ dataset, image }, n) {
    const key = `${dataset}/${n}`;
    sheets.set(key, null);
    try {
      const { canvas } = await contextWith(await retry(() => api.sprites(dataset, n)));
      const sheet = { canvas, isInk: !isColour(image) };
      if (!isDark) invert(sheet);
      sheets.set(key, sheet);
      onChange();
    } catch {
      sheets.delete(key); // the dots stay in place of the images
    }
  }

  return {
    /** @param {Theme} theme */
    setTheme(theme) {
      if (theme.isDark !== isDark) for (const sheet of sheets.values()) if (sheet) invert(sheet);
      ({ isDark } = theme);
    },

    /**
     * @param {CanvasRenderingContext2D} context
     * @param {View} view
     * @param {Atlas} atlas
     * @param {number[]} indices  of the images in sight
     * @param {Theme} theme
     */
    paint(context, view, atlas, indices, theme) {
      const { codes, card } = atlas;
      const { height, width } = card.image;
      const inner = sizeOf(card.image, innerSide(card.image));
      const [across, down] = [inner.width + 2 * FRAME, inner.height + 2 * FRAME];
      for (const index of indices) {
        const n = Math.floor(index / SHEET ** 2);
        const sheet = sheets.get(`${card.dataset}/${n}`);
        if (sheet === undefined) void fetchSheet(card, n);
        if (!sheet) continue;
        const x = Math.round(screenX(view.camera, atlas.feet[2 * index]) - across / 2);
        const y = Math.round(screenY(view.camera, atlas.feet[2 * index + 1]) - down / 2);
        const place = index % SHEET ** 2;
        const [left, top] = [(place % SHEET) * width, Math.floor(place / SHEET) * height];
        context.fillStyle = theme.digits[codes.labels[index]];
        context.fillRect(x, y, across, down);
        context.drawImage(sheet.canvas, left, top, width, height, x + FRAME, y + FRAME, inner.width, inner.height);
      }
    },
  };
}

/** The longer side of an image on the map. @type {(shape: import('../lib/image-shape.js').ImageShape) => number} */
const innerSide = (shape) => Math.min(MAX_SIZE, longestOf(shape) + GROWTH);

/** Invert a sheet in grey. @param {Sheet} sheet */
function invert({ canvas, isInk }) {
  if (!isInk) return;
  const context = contextOf(canvas);
  context.globalCompositeOperation = 'difference';
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = 'source-over';
}

/**
 * Return the indices of the visible codes, or none if they are too many. `digits` are bits of the labels to show; 0: all.
 *
 * @type {(view: View, atlas: Atlas, digits: number) => number[]}
 */
export function visibleCodes({ camera, width, height }, { codes, feet, card }, digits) {
  const size = innerSide(card.image) + 2 * FRAME;
  const limit = (MAX_COVER * width * height) / size ** 2;
  const found = [];
  for (let i = 0; i < codes.count; i++) {
    const x = screenX(camera, feet[2 * i]);
    const y = screenY(camera, feet[2 * i + 1]);
    if (x < -size || y < -size || x > width + size || y > height + size) continue;
    if (digits && !(digits & (1 << codes.labels[i]))) continue;
    found.push(i);
    if (found.length > limit) return [];
  }
  return found;
}

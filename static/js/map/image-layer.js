/**
 * The test images at their codes, shown when few enough are visible to have room.
 *
 * @typedef {import('../store.js').View} View
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { IMAGE_SIDE } from '../lib/image-size.js';
import { contextOf } from '../lib/pixels.js';
import { retry } from '../lib/retry.js';
import { screenX, screenY } from './camera.js';

/** Images on a side of a sprite sheet. */
export const SHEET = 32;
/** Side of an image on the map, CSS pixels, with a frame in the colour of its label. */
const SIZE = IMAGE_SIDE + 8;
const FRAME = 2;
/** The total area of the images is at most this part of the map. */
const MAX_COVER = 1 / 4;

/**
 * @param {Api} api
 * @param {() => void} onChange  called when there is something new to paint
 */
export function createImageLayer(api, onChange) {
  /** By data set and number; null: loading. @type {Map<string, HTMLCanvasElement | null>} */
  const sheets = new Map();
  let isDark = true;

  /** @type {(dataset: string, n: number) => Promise<void>} */
  async function fetchSheet(dataset, n) {
    const key = `${dataset}/${n}`;
    sheets.set(key, null);
    try {
      const bitmap = await createImageBitmap(await retry(() => api.sprites(dataset, n)));
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
      contextOf(canvas).drawImage(bitmap, 0, 0);
      bitmap.close();
      if (!isDark) invert(canvas);
      sheets.set(key, canvas);
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
      for (const index of indices) {
        const n = Math.floor(index / SHEET ** 2);
        const sheet = sheets.get(`${card.dataset}/${n}`);
        if (sheet === undefined) void fetchSheet(card.dataset, n);
        if (!sheet) continue;
        const x = Math.round(screenX(view.camera, atlas.feet[2 * index]) - SIZE / 2);
        const y = Math.round(screenY(view.camera, atlas.feet[2 * index + 1]) - SIZE / 2);
        const place = index % SHEET ** 2;
        const [left, top] = [(place % SHEET) * IMAGE_SIDE, Math.floor(place / SHEET) * IMAGE_SIDE];
        const inner = SIZE - 2 * FRAME;
        context.fillStyle = theme.digits[codes.labels[index]];
        context.fillRect(x, y, SIZE, SIZE);
        context.drawImage(sheet, left, top, IMAGE_SIDE, IMAGE_SIDE, x + FRAME, y + FRAME, inner, inner);
      }
    },
  };
}

/** Invert the colours of a canvas. @param {HTMLCanvasElement} canvas */
function invert(canvas) {
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
export function visibleCodes({ camera, width, height }, { codes, feet }, digits) {
  const limit = (MAX_COVER * width * height) / SIZE ** 2;
  const found = [];
  for (let i = 0; i < codes.count; i++) {
    const x = screenX(camera, feet[2 * i]);
    const y = screenY(camera, feet[2 * i + 1]);
    if (x < -SIZE || y < -SIZE || x > width + SIZE || y > height + SIZE) continue;
    if (digits && !(digits & (1 << codes.labels[i]))) continue;
    found.push(i);
    if (found.length > limit) return [];
  }
  return found;
}

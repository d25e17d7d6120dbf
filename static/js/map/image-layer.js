/**
 * The test images themselves at their codes, once so few are in sight that they find room.
 *
 * @typedef {import('../store.js').View} View
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { IMAGE_SIDE } from '../lib/image-size.js';
import { screenX, screenY } from './camera.js';
import { contextOf } from '../lib/pixels.js';

/** Images on a side of a sheet. */
const SHEET = 32;
/** An image on the map, CSS pixels, with the edge that tells its label. */
const SIZE = IMAGE_SIDE + 8;
const EDGE = 2;
/** They may cover this part of the map, if they lay beside each other. */
const COVER = 1 / 4;

/**
 * @param {Api} api
 * @param {() => void} onChange  there is something new to paint
 */
export function createImageLayer(api, onChange) {
  /** By data set and number; null: on its way. @type {Map<string, HTMLCanvasElement | null>} */
  const sheets = new Map();
  let isDark = true;

  /** @type {(dataset: string, n: number) => Promise<void>} */
  async function fetchSheet(dataset, n) {
    const key = `${dataset}/${n}`;
    sheets.set(key, null);
    try {
      const bitmap = await createImageBitmap(await api.sprites(dataset, n));
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
      contextOf(canvas).drawImage(bitmap, 0, 0);
      bitmap.close();
      if (!isDark) invert(canvas);
      sheets.set(key, canvas);
      onChange();
    } catch {
      sheets.delete(key); // its dots stay
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
     * @param {number} digits  bits of those that are chosen; none: all
     * @param {Theme} theme
     */
    paint(context, view, atlas, digits, theme) {
      const { codes, card } = atlas;
      for (const index of inSight(view, atlas, digits)) {
        const n = Math.floor(index / SHEET ** 2);
        const sheet = sheets.get(`${card.dataset}/${n}`);
        if (sheet === undefined) void fetchSheet(card.dataset, n);
        if (!sheet) continue;
        const x = Math.round(screenX(view.camera, atlas.feet[2 * index]) - SIZE / 2);
        const y = Math.round(screenY(view.camera, atlas.feet[2 * index + 1]) - SIZE / 2);
        const place = index % SHEET ** 2;
        const inner = SIZE - 2 * EDGE;
        context.fillStyle = theme.digits[codes.labels[index]];
        context.fillRect(x, y, SIZE, SIZE);
        context.drawImage(
          sheet, (place % SHEET) * IMAGE_SIDE, Math.floor(place / SHEET) * IMAGE_SIDE, IMAGE_SIDE, IMAGE_SIDE, x + EDGE, y + EDGE, inner, inner,
        );
      }
    },
  };
}

/** Dark becomes light. @param {HTMLCanvasElement} canvas */
function invert(canvas) {
  const context = contextOf(canvas);
  context.globalCompositeOperation = 'difference';
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = 'source-over';
}

/** The codes in the window, if they are few. @type {(view: View, atlas: Atlas, digits: number) => number[]} */
function inSight({ camera, width, height }, { codes, feet }, digits) {
  const most = (COVER * width * height) / SIZE ** 2;
  const found = [];
  for (let i = 0; i < codes.count; i++) {
    const x = screenX(camera, feet[2 * i]);
    const y = screenY(camera, feet[2 * i + 1]);
    if (x < -SIZE || y < -SIZE || x > width + SIZE || y > height + SIZE) continue;
    if (digits && !(digits & (1 << codes.labels[i]))) continue;
    found.push(i);
    if (found.length > most) return [];
  }
  return found;
}

/**
 * The spread of the posterior of each test image that is shown at its code. The server has no list of them: the images
 * in sight are encoded, a few dozen at a time.
 *
 * @typedef {import('../store.js').View} View
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { ellipseOf } from '../latent/plane.js';
import { numbersOf } from '../lib/image-shape.js';
import { createLruCache } from '../lib/lru-cache.js';
import { contextWith, levelsIn } from '../lib/pixels.js';
import { retry } from '../lib/retry.js';
import { screenX, screenY } from './camera.js';
import { SHEET } from './image-layer.js';

/** Images of one request, as many as the server takes. */
const MOST = 64;
const KEPT = 4096;

/**
 * @param {Api} api
 * @param {() => void} onChange  called when there is something new to paint
 */
export function createSpreadLayer(api, onChange) {
  /** By the model's weights and the image's number. @type {import('../lib/lru-cache.js').LruCache<number[][]>} */
  const covariances = createLruCache(KEPT);
  let isAsking = false;

  /** @type {(atlas: Atlas, indices: number[]) => Promise<void>} */
  async function ask(atlas, indices) {
    const { card } = atlas;
    isAsking = true;
    try {
      const images = await retry(() => imagesOf(api, card, indices));
      const encoded = await retry(() => api.encodeLevels(card, images, indices.length));
      indices.forEach((index, i) => {
        covariances.set(keyOf(atlas, index), encoded[i].covariance ?? []);
      });
      isAsking = false;
      onChange();
    } catch {
      isAsking = false; // the images are shown without their spread until the map moves
    }
  }

  /**
   * Paint an ellipse of one standard deviation around each code.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {View} view
   * @param {Atlas} atlas
   * @param {number[]} indices  of the images in sight
   * @param {Theme} theme
   * @returns {number}  how many were painted
   */
  function paint(context, { camera }, atlas, indices, theme) {
    if (atlas.card.family !== 'vae') return 0;
    const opacity = context.globalAlpha;
    const missing = [];
    let painted = 0;
    for (const index of indices) {
      const covariance = covariances.get(keyOf(atlas, index));
      if (!covariance) missing.push(index);
      if (!covariance?.length) continue;
      const { major, minor, angle } = ellipseOf(atlas.plane, covariance);
      const x = screenX(camera, atlas.feet[2 * index]);
      const y = screenY(camera, atlas.feet[2 * index + 1]);
      context.beginPath();
      context.ellipse(x, y, major * camera.scale, minor * camera.scale, -angle, 0, 2 * Math.PI);
      context.strokeStyle = context.fillStyle = theme.digits[atlas.codes.labels[index]];
      context.globalAlpha = 0.08 * opacity;
      context.fill();
      context.globalAlpha = 0.7 * opacity;
      context.lineWidth = 1.25;
      context.stroke();
      painted++;
    }
    context.globalAlpha = opacity;
    if (missing.length > 0 && !isAsking) void ask(atlas, missing.slice(0, MOST));
    return painted;
  }
  return { paint };
}

/** @type {(atlas: Atlas, index: number) => string} */
const keyOf = ({ card, base }, index) => `${card.id}/${base.version}/${index}`;

/**
 * Return the numbers of test images, one after the other, from the sheets that the map shows too.
 *
 * @type {(api: Api, card: Atlas['card'], indices: number[]) => Promise<Uint8Array>}
 */
async function imagesOf(api, { dataset, image }, indices) {
  /** @type {Map<number, CanvasRenderingContext2D>} */
  const sheets = new Map();
  for (const n of new Set(indices.map((index) => Math.floor(index / SHEET ** 2)))) {
    sheets.set(n, await contextWith(await api.sprites(dataset, n), { willReadFrequently: true }));
  }
  const levels = new Uint8Array(indices.length * numbersOf(image));
  indices.forEach((index, i) => {
    const place = index % SHEET ** 2;
    const [left, top] = [(place % SHEET) * image.width, Math.floor(place / SHEET) * image.height];
    const sheet = sheets.get(Math.floor(index / SHEET ** 2));
    const cut = /** @type {CanvasRenderingContext2D} */ (sheet).getImageData(left, top, image.width, image.height);
    levels.set(levelsIn(cut, image.channels), i * numbersOf(image));
  });
  return levels;
}

/**
 * Lines of equal geodesic distance from the point: where they are close, the image changes fast. They are requested
 * when the point rests.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/box.js').Box} Box
 * @typedef {import('./camera.js').Camera} Camera
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { ApiError } from '../api.js';
import { retry } from '../lib/retry.js';
import { screenX, screenY } from './camera.js';
import { markComputing } from './computing.js';
import { contourOf, levelsUpTo } from './contour-lines.js';

const REST_MILLISECONDS = 250;
const LINES = 14;
/** Lines go up to this quantile of the distances, which leaves out the far corners of the plane. */
const QUANTILE = 0.55;

/**
 * @param {Store} store
 * @param {Api} api
 * @param {() => void} onChange  called when there is something new to paint
 */
export function createContourLayer(store, api, onChange) {
  let request = new AbortController();
  let timer = 0;
  let requested = '';
  let cells = 0;
  /** @type {import('./contour-lines.js').Segment[]} */
  let segments = [];

  async function load() {
    const { atlas, latent, layers } = store.get();
    if (!atlas || !latent || !layers.contours.isOn) return;
    if (latent.length !== 2 || atlas.card.latent_dim !== 2) return forget();
    const wanted = `${atlas.card.sha256} ${latent.join()}`;
    if (wanted === requested) return;
    requested = wanted;
    request.abort();
    request = new AbortController();
    const { signal } = request;
    markComputing(store, 'contours', true);
    try {
      const { cells: side, distances } = await retry(() => api.distances(atlas.card.id, latent, signal), { signal });
      const sorted = distances.flat().sort((a, b) => a - b);
      cells = side;
      segments = levelsUpTo(sorted[Math.floor(QUANTILE * (sorted.length - 1))], LINES)
        .flatMap((level) => contourOf(distances, level));
      onChange();
    } catch (error) {
      if (error instanceof ApiError) forget(); // the point lies outside the extent, or the server stays busy
    }
    if (!signal.aborted) markComputing(store, 'contours', false);
  }

  function forget() {
    requested = '';
    if (!segments.length) return;
    segments = [];
    onChange();
  }

  const unwatch = store.watch(['latent', 'atlas', 'layers'], () => {
    clearTimeout(timer);
    timer = setTimeout(load, REST_MILLISECONDS);
  });

  return {
    /**
     * @param {CanvasRenderingContext2D} context  in CSS pixels
     * @param {Camera} camera
     * @param {Box} extent
     * @param {Theme} theme
     * @param {number} opacity
     */
    paint(context, camera, extent, theme, opacity) {
      if (!segments.length) return;
      const side = ((extent.u1 - extent.u0) / cells) * camera.scale;
      const [left, top] = [screenX(camera, extent.u0), screenY(camera, extent.v1)];
      context.beginPath();
      for (const [x0, y0, x1, y1] of segments) {
        context.moveTo(left + x0 * side, top + y0 * side);
        context.lineTo(left + x1 * side, top + y1 * side);
      }
      context.globalAlpha = opacity;
      context.strokeStyle = theme.accent;
      context.lineWidth = 1;
      context.stroke();
      context.globalAlpha = 1;
    },

    stop() {
      unwatch();
      clearTimeout(timer);
      request.abort();
    },
  };
}

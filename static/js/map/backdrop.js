/**
 * The decoder's own images behind the map: a grid of cells over all that can be seen of the plane.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../camera.js').Camera} Camera
 * @typedef {import('../camera.js').Grid} Grid
 * @typedef {import('../theme.js').Theme} Theme
 */
import { MOST_LATENTS, SIDE } from '../api.js';
import { boxOf, cellCentre, gridOver, screenX, screenY } from '../camera.js';
import { contextOf } from '../digits.js';
import { heightOf, latentAt, through } from '../plane.js';
import { channels } from '../theme.js';

/** Two calls' worth of cells at most, each about as large as its image. */
const MOST_CELLS = 2 * MOST_LATENTS;
const CELL_PIXELS = 30;
/** How strongly the cells show; the codes must stand out before them. */
const STRENGTH = 0.5;
/** A point that leaves the plane takes the backdrop along once it rests. */
const REST_MILLISECONDS = 250;

/**
 * @param {Store} store
 * @param {Api} api
 * @param {() => void} onChange  there is something new to paint
 */
export function createBackdrop(store, api, onChange) {
  const canvas = document.createElement('canvas');
  const context = contextOf(canvas);
  /** @type {{grid: Grid, images: Uint8Array} | null} */
  let cells = null;
  let lookup = new Uint32Array(256);
  let request = new AbortController();
  let loading = 0;
  let resting = 0;
  let shownHeight = 0;

  async function load() {
    const { atlas, view, latent } = store.get();
    request.abort();
    if (!atlas || !view || !latent) return;
    request = new AbortController();
    const { signal } = request;
    const { camera, width, height } = view;
    const box = boxOf(camera, { left: 0, top: 0, right: width, bottom: height });
    const grid = gridOver(box, CELL_PIXELS / camera.scale, MOST_CELLS);
    const plane = through(atlas.plane, latent);
    shownHeight = heightOf(atlas.plane, latent);
    const latents = Array.from({ length: grid.columns * grid.rows }, (_, n) =>
      latentAt(plane, cellCentre(grid, n)),
    );
    try {
      cells = { grid, images: await api.decode(atlas.card.id, latents, signal) };
    } catch {
      return; // The map is whole without its backdrop, and a lost server is told of elsewhere.
    }
    if (signal.aborted) return;
    develop();
    onChange();
  }

  function develop() {
    if (!cells) return;
    const { grid, images } = cells;
    canvas.width = grid.columns * SIDE;
    canvas.height = grid.rows * SIDE;
    const sheet = context.createImageData(canvas.width, canvas.height);
    const words = new Uint32Array(sheet.data.buffer);
    let next = 0;
    for (let n = 0; n < grid.columns * grid.rows; n++) {
      const corner = Math.floor(n / grid.columns) * SIDE * canvas.width + (n % grid.columns) * SIDE;
      for (let y = 0; y < SIDE; y++) {
        const row = corner + y * canvas.width;
        for (let x = 0; x < SIDE; x++) words[row + x] = lookup[images[next++]];
      }
    }
    context.putImageData(sheet, 0, 0);
  }

  const unwatch = [
    store.watch(['atlas', 'view'], () => {
      clearTimeout(loading);
      loading = setTimeout(load);
    }),
    store.watch(['latent'], ({ atlas, latent }) => {
      clearTimeout(resting);
      if (!atlas || !latent || Math.abs(heightOf(atlas.plane, latent) - shownHeight) < 1e-3) return;
      resting = setTimeout(load, REST_MILLISECONDS);
    }),
  ];

  return {
    /** @param {Theme} theme */
    dye({ ink }) {
      const [red, green, blue] = channels(ink);
      const colour = (blue << 16) | (green << 8) | red;
      lookup = Uint32Array.from({ length: 256 }, (_, grey) => (Math.round(grey * STRENGTH) << 24) | colour);
      develop();
    },
    /** @type {(target: CanvasRenderingContext2D, camera: Camera) => void} */
    paint(target, camera) {
      if (!cells) return;
      const { side, columns, rows, u0, v1 } = cells.grid;
      const step = side * camera.scale;
      target.imageSmoothingQuality = 'high';
      target.drawImage(canvas, screenX(camera, u0), screenY(camera, v1), columns * step, rows * step);
    },
    stop() {
      request.abort();
      clearTimeout(loading);
      clearTimeout(resting);
      unwatch.forEach((end) => end());
    },
  };
}

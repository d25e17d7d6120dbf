/**
 * The decoder's own images: fetches the tiles that a view needs, keeps those that have been seen of late, and paints
 * them. A coarser tile stays in the place of one that has not arrived.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').View} View
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/box.js').Box} Box
 * @typedef {import('../lib/theme.js').Theme} Theme
 * @typedef {import('./tile-grid.js').Tile} Tile
 */
import { ApiError } from '../api.js';
import { boxOf, screenX, screenY } from './camera.js';
import { createLruCache } from '../lib/lru-cache.js';
import { covering, cutOf, extentOf, keyOf, levelAt, needed, piecesFor } from './tile-grid.js';
import { createTint } from './tint.js';

/** A browser opens no more connections to one host. */
const MAX_REQUESTS = 6;
/** Tiles, of 200 kB each: enough for the largest screen, three times over for most. */
const CAPACITY = 420;
/** While it is zoomed, nobody can say yet which level will be wanted. */
const ZOOM_MILLISECONDS = 90;
/** A tile that did not come is asked for again after this. */
const AGAIN_MILLISECONDS = 3000;

/**
 * @param {Store} store
 * @param {Api} api
 * @param {() => void} onChange  there is something new to paint
 */
export function createTileLayer(store, api, onChange) {
  /** @type {import('../lib/lru-cache.js').LruCache<ImageBitmap>} */
  const bitmaps = createLruCache(CAPACITY, (bitmap) => bitmap.close());
  /** What is on its way. @type {Map<string, AbortController>} */
  const requests = new Map();
  /** What still has to be asked for, the most urgent first. @type {Tile[]} */
  let queue = [];
  let timer = 0;
  let again = 0;
  let scale = 0;
  let model = '';
  /** Names of the plane that is shown, and of the one before: it stays until the other one has come. */
  let plane = '';
  let planeBefore = '';
  const tint = createTint();
  /** @type {(tile: Tile, of?: string) => string} */
  const nameOf = (tile, of = plane) => `${of}/${keyOf(tile)}`;
  /** @type {(tile: Tile) => boolean} */
  const has = (tile) => bitmaps.has(nameOf(tile));
  /** @type {(tile: Tile) => boolean} */
  const had = (tile) => bitmaps.has(nameOf(tile, planeBefore));

  function drop() {
    for (const request of requests.values()) request.abort();
    requests.clear();
    queue = [];
  }

  function forget() {
    drop();
    bitmaps.clear();
    planeBefore = plane;
  }

  function plan() {
    const { atlas, view } = store.get();
    if (!atlas || !view) return;
    const extent = extentOf(atlas.plane);
    const tiles = needed(visibleBox(view), view.camera.scale, extent);
    const keys = new Set(tiles.map((tile) => nameOf(tile)));
    for (const [key, request] of requests) if (!keys.has(key)) request.abort();
    queue = tiles.filter((tile) => !has(tile) && !requests.has(nameOf(tile)));
    pump();
  }

  function pump() {
    const { atlas } = store.get();
    while (atlas && queue.length && requests.size < MAX_REQUESTS) {
      const tile = queue[0];
      queue = queue.slice(1);
      void fetchTile(atlas.card.id, atlas.plane, tile);
    }
  }

  /** @type {(of: string, at: import('../latent/plane.js').Plane, tile: Tile) => Promise<void>} */
  async function fetchTile(of, at, tile) {
    const request = new AbortController();
    const key = nameOf(tile);
    requests.set(key, request);
    try {
      const blob = await api.tile(of, at, tile, request.signal);
      const bitmap = await tint.fromFile(blob);
      if (request.signal.aborted) return bitmap.close();
      bitmaps.set(key, bitmap);
      onChange();
    } catch (error) {
      // The map is whole without it, and a lost server is told of elsewhere.
      if (request.signal.aborted) return;
      const seconds = error instanceof ApiError ? error.retryAfter : null;
      if (seconds !== null) queue = []; // the others would be refused too
      const pause = seconds === null ? AGAIN_MILLISECONDS : 1000 * seconds;
      again ||= setTimeout(() => ((again = 0), plan()), pause);
    } finally {
      if (requests.get(key) === request) requests.delete(key);
      pump();
    }
  }

  const unwatch = store.watch(['atlas', 'view'], ({ atlas, view }) => {
    const isSame = plane === atlas?.plane.id && model === atlas.card.id;
    if (!isSame) {
      planeBefore = plane;
      plane = atlas?.plane.id ?? '';
      if (model === atlas?.card.id) drop();
      else forget();
      model = atlas?.card.id ?? '';
    }
    const isZooming = isSame && view !== null && view.camera.scale !== scale;
    scale = view?.camera.scale ?? 0;
    clearTimeout(timer);
    timer = setTimeout(plan, isZooming ? ZOOM_MILLISECONDS : 0);
  });

  return {
    /** @param {Theme} theme */
    setTheme(theme) {
      tint.setColour(theme.ink);
      forget();
      plan();
    },

    /**
     * @param {CanvasRenderingContext2D} target  in device pixels
     * @param {View} view
     * @param {Box} extent
     * @param {number} density  device pixels per CSS pixel
     * @returns {boolean}  whether all tiles are there, none of them by a stand-in
     */
    paint(target, view, extent, density) {
      const { camera } = view;
      const level = levelAt(camera.scale, extent);
      const at = placing(camera, extent, density);
      let isWhole = true;
      for (const tile of covering(visibleBox(view), level, extent)) {
        isWhole &&= has(tile);
        const pieces = piecesFor(tile, has);
        const of = pieces.length ? plane : planeBefore;
        for (const piece of pieces.length ? pieces : piecesFor(tile, had)) {
          const bitmap = bitmaps.get(nameOf(piece.source, of));
          if (!bitmap) continue;
          const cut = cutOf(piece);
          const { x, y, side } = at(piece.place);
          target.drawImage(bitmap, cut.x, cut.y, cut.side, cut.side, x, y, side, side);
        }
      }
      return isWhole;
    },

    stop() {
      unwatch();
      clearTimeout(timer);
      clearTimeout(again);
      forget();
    },
  };
}

/** The part of the plane in the window. @type {(view: View) => Box} */
const visibleBox = ({ camera, width, height }) => boxOf(camera, { left: 0, top: 0, right: width, bottom: height });

/**
 * Where tiles lie in device pixels. Where they are as large as whole pixels they lie on whole pixels, so that their
 * own size shows their own bytes.
 *
 * @type {(camera: View['camera'], extent: Box, density: number) => (tile: Tile) => {x: number, y: number, side: number}}
 */
function placing(camera, extent, density) {
  const left = screenX(camera, extent.u0) * density;
  const top = screenY(camera, extent.v1) * density;
  const whole = camera.scale * density * (extent.u1 - extent.u0);
  return ({ level, x, y }) => {
    const side = whole / 2 ** level;
    const pixels = Math.round(side);
    if (Math.abs(side - pixels) > 1e-6 * side) return { x: left + x * side, y: top + y * side, side };
    return { x: Math.round(left + x * side), y: Math.round(top + y * side), side: pixels };
  };
}

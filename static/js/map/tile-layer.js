/**
 * The tiles of decoded images: loads those that a view needs, keeps the recently used ones, and paints them. A
 * coarser tile replaces one that has not loaded.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').View} View
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/box.js').Box} Box
 * @typedef {import('../lib/theme.js').Theme} Theme
 * @typedef {import('./tile-grid.js').Tile} Tile
 */
import { ApiError } from '../api.js';
import { createLruCache } from '../lib/lru-cache.js';
import { screenX, screenY, visibleBox } from './camera.js';
import { covering, cutOf, extentOf, keyOf, levelAt, needed, piecesFor, tileSide } from './tile-grid.js';
import { createTint } from './tint.js';

/** Browsers open at most this many connections to one host. */
const MAX_REQUESTS = 6;
/** Tiles in memory, 200 kB each: enough for the largest screen, and for most screens three times over. */
const CAPACITY = 420;
/** Tiles are requested once a zoom has rested this long, because until then the level may change. */
const ZOOM_MILLISECONDS = 90;
/** A tile that failed is requested again after this. */
const RETRY_MILLISECONDS = 3000;

/**
 * @param {Store} store
 * @param {Api} api
 * @param {() => void} onChange  called when there is something new to paint
 */
export function createTileLayer(store, api, onChange) {
  /** @type {import('../lib/lru-cache.js').LruCache<ImageBitmap>} */
  const bitmaps = createLruCache(CAPACITY, (bitmap) => bitmap.close());
  /** The requests in progress. @type {Map<string, AbortController>} */
  const requests = new Map();
  /** Tiles that are still to be requested, the most urgent first. @type {Tile[]} */
  let queue = [];
  let timer = 0;
  let retryTimer = 0;
  let scale = 0;
  let model = '';
  /** Ids of the shown plane and of the previous one, whose tiles stay until the new ones have loaded. */
  let plane = '';
  let previousPlane = '';
  const tint = createTint();
  /** @type {(tile: Tile, of?: string) => string} */
  const nameOf = (tile, of = plane) => `${of}/${keyOf(tile)}`;
  /** @type {(tile: Tile) => boolean} */
  const has = (tile) => bitmaps.has(nameOf(tile));
  /** @type {(tile: Tile) => boolean} */
  const had = (tile) => bitmaps.has(nameOf(tile, previousPlane));

  function drop() {
    for (const request of requests.values()) request.abort();
    requests.clear();
    queue = [];
  }

  function forget() {
    drop();
    bitmaps.clear();
    previousPlane = plane;
  }

  function plan() {
    const { atlas, view } = store.get();
    if (!atlas || !view) return;
    const extent = extentOf(atlas.plane);
    const tiles = needed(visibleBox(view), view.camera.scale, extent, tileSide(atlas.plane, atlas.card.image));
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
      void fetchTile(atlas.card, atlas.plane, tile);
    }
  }

  /** @type {(of: import('../api.js').Card, at: import('../latent/plane.js').Plane, tile: Tile) => Promise<void>} */
  async function fetchTile(of, at, tile) {
    const request = new AbortController();
    const key = nameOf(tile);
    requests.set(key, request);
    try {
      const blob = await api.tile(of.id, at, tile, request.signal);
      const bitmap = await tint.fromFile(blob, of.image, at.cells);
      if (request.signal.aborted) return bitmap.close();
      bitmaps.set(key, bitmap);
      onChange();
    } catch (error) {
      // The map works without the tile, and other parts report a lost server.
      if (request.signal.aborted) return;
      const seconds = error instanceof ApiError ? error.retryAfter : null;
      if (seconds !== null) queue = []; // the server would refuse the others too
      const pause = seconds === null ? RETRY_MILLISECONDS : 1000 * seconds;
      retryTimer ||= setTimeout(() => ((retryTimer = 0), plan()), pause);
    } finally {
      if (requests.get(key) === request) requests.delete(key);
      pump();
    }
  }

  const unwatch = store.watch(['atlas', 'view'], ({ atlas, view }) => {
    const isSame = plane === atlas?.plane.id && model === atlas.card.sha256;
    if (!isSame) {
      previousPlane = plane;
      plane = atlas?.plane.id ?? '';
      if (model === atlas?.card.sha256) drop();
      else forget();
      model = atlas?.card.sha256 ?? '';
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
     * @returns {boolean}  whether all tiles have loaded
     */
    paint(target, view, extent, density) {
      const { atlas } = store.get();
      if (!atlas) return false;
      const { camera } = view;
      const own = tileSide(atlas.plane, atlas.card.image);
      const level = levelAt(camera.scale, extent, own);
      const at = placementOf(camera, extent, density);
      let isWhole = true;
      for (const tile of covering(visibleBox(view), level, extent)) {
        isWhole &&= has(tile);
        const pieces = piecesFor(tile, has);
        const of = pieces.length ? plane : previousPlane;
        for (const piece of pieces.length ? pieces : piecesFor(tile, had)) {
          const bitmap = bitmaps.get(nameOf(piece.source, of));
          if (!bitmap) continue;
          const cut = cutOf(piece, own);
          const { x, y, side } = at(piece.place);
          target.drawImage(bitmap, cut.x, cut.y, cut.side, cut.side, x, y, side, side);
        }
      }
      return isWhole;
    },

    stop() {
      unwatch();
      clearTimeout(timer);
      clearTimeout(retryTimer);
      forget();
    },
  };
}

/**
 * Return where a tile lies in device pixels. Tiles whose side is a whole number of pixels are aligned to whole
 * pixels, so that tiles of their own size are painted byte for byte.
 *
 * @type {(camera: View['camera'], extent: Box, density: number) => (tile: Tile) => {x: number, y: number, side: number}}
 */
function placementOf(camera, extent, density) {
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

/**
 * Loads the fields that are switched on, colours them, and paints them on the plane's extent.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/box.js').Box} Box
 * @typedef {import('./camera.js').Camera} Camera
 * @typedef {import('../map-layers.js').FieldId} FieldId
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { hasLabels } from '../latent/atlas.js';
import { contextOf } from '../lib/pixels.js';
import { retry } from '../lib/retry.js';
import { channels } from '../lib/theme.js';
import { FIELD_IDS } from '../map-layers.js';
import { screenX, screenY } from './camera.js';
import { markComputing } from './computing.js';
import { CELLS, rampOf, tableOf } from './field-colours.js';

/** Fields of a slice are requested once the point has stopped leaving it. */
const REST_MILLISECONDS = 500;

/**
 * @param {Store} store
 * @param {Api} api
 * @param {() => void} onChange  called when there is something new to paint
 */
export function createFieldLayer(store, api, onChange) {
  /** One byte per cell. @type {Map<FieldId, Uint8Array>} */
  const levels = new Map();
  /** @type {Map<FieldId, HTMLCanvasElement>} */
  const canvases = new Map();
  let request = new AbortController();
  /** @type {Set<FieldId>} */
  const requested = new Set();
  /** @type {import('../latent/atlas.js').Atlas | null} */
  let shown = null;
  let timer = 0;
  /** @type {Theme} */
  let theme;

  /** Whether a field is to be seen: codes of one label have no regions of labels. @param {FieldId} id */
  function isWanted(id) {
    const { atlas, layers } = store.get();
    return layers[id].isOn && (id !== 'label' || !atlas || hasLabels(atlas));
  }

  function load() {
    const { atlas, isMapDrawn } = store.get();
    if (atlas?.plane !== shown?.plane) {
      forget();
      // The fields of one slice stay until those of the next have loaded, as its tiles do.
      if (atlas?.base !== shown?.base) canvases.clear();
      shown = atlas;
      store.set({ readings: {} });
    }
    clearTimeout(timer);
    if (!atlas || !isMapDrawn) return; // the tiles come first
    timer = setTimeout(() => {
      for (const id of FIELD_IDS) if (isWanted(id) && !requested.has(id)) void fetchField(atlas, id, request.signal);
    }, atlas.plane === atlas.base ? 0 : REST_MILLISECONDS);
  }

  function forget() {
    request.abort();
    request = new AbortController();
    for (const id of requested) markComputing(store, id, false);
    requested.clear();
    levels.clear();
  }

  /** @type {(atlas: import('../latent/atlas.js').Atlas, id: FieldId, signal: AbortSignal) => Promise<void>} */
  async function fetchField({ card, plane }, id, signal) {
    requested.add(id);
    markComputing(store, id, true);
    try {
      const { image, reading } = await retry(() => api.field(card.id, plane, id, signal), { signal });
      const bytes = await bytesOf(image);
      if (signal.aborted) return;
      levels.set(id, bytes);
      colourField(id);
      store.set({ readings: { ...store.get().readings, [id]: reading } });
      onChange();
    } catch {
      if (!signal.aborted) requested.delete(id); // switching it on again retries; other parts report a lost server
    }
    if (!signal.aborted) markComputing(store, id, false);
  }

  /** @param {FieldId} id */
  function colourField(id) {
    const bytes = levels.get(id);
    if (!bytes) return;
    const colours = id === 'label'
      ? Uint8Array.from(theme.digits.flatMap(channels))
      : tableOf(rampOf(id, theme.isDark));
    const canvas = canvases.get(id) ?? document.createElement('canvas');
    canvas.width = canvas.height = CELLS;
    const context = contextOf(canvas);
    const image = context.createImageData(CELLS, CELLS);
    for (let i = 0; i < bytes.length; i++) {
      image.data.set(colours.subarray(3 * bytes[i], 3 * bytes[i] + 3), 4 * i);
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    canvases.set(id, canvas);
  }

  const unwatch = store.watch(['atlas', 'layers', 'isMapDrawn'], load);
  return {
    /** @param {Theme} current */
    setTheme(current) {
      theme = current;
      FIELD_IDS.forEach(colourField);
    },

    /**
     * Paint the fields that are on; return whether all of them have loaded.
     *
     * @type {(context: CanvasRenderingContext2D, camera: Camera, extent: Box) => boolean}
     */
    paint(context, camera, extent) {
      const { layers } = store.get();
      const left = screenX(camera, extent.u0);
      const top = screenY(camera, extent.v1);
      for (const id of FIELD_IDS) {
        const canvas = canvases.get(id);
        if (!canvas || !isWanted(id)) continue;
        context.globalAlpha = layers[id].opacity;
        context.imageSmoothingEnabled = id !== 'label';
        const width = screenX(camera, extent.u1) - left;
        context.drawImage(canvas, left, top, width, screenY(camera, extent.v0) - top);
      }
      context.imageSmoothingEnabled = true;
      context.globalAlpha = 1;
      return FIELD_IDS.every((id) => !isWanted(id) || levels.has(id));
    },

    stop() {
      clearTimeout(timer);
      request.abort();
      unwatch();
    },
  };
}

/** Return the grey levels of a field, the upper byte of its 16 bits. @type {(image: Blob) => Promise<Uint8Array>} */
async function bytesOf(image) {
  const bitmap = await createImageBitmap(image, { colorSpaceConversion: 'none' });
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = CELLS;
  const context = contextOf(canvas, { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, CELLS, CELLS);
  return Uint8Array.from({ length: CELLS * CELLS }, (_, i) => data[4 * i]);
}

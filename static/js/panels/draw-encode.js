/**
 * Encodes the visitor's image by the model shown, and keeps the newest answer in the store.
 *
 * Noise belongs on the 28 x 28 numbers that a network sees, as in training. So an image is prepared by the server
 * first; with noise on them, its numbers make a second call.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').Posterior} Posterior
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../api.js').Encoded} Encoded
 */
import { ApiError } from '../api.js';
import { dataUrl, levelsOf } from '../lib/pixels.js';
import { distanceOf, inRows, withNoise } from './noise-maths.js';
import { retry } from '../lib/retry.js';

/**
 * @param {Store} store
 * @param {Api} api
 * @param {(message: string) => void} tell  what stands in the way; empty: nothing
 */
export function createEncoder(store, api, tell) {
  /** A file, or the index of a test image. @type {Blob | number | null} */
  let image = null;
  let request = new AbortController();

  async function run() {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    const { shown } = store.get();
    tell('');
    if (image === null || !shown) return store.set({ posterior: null });
    store.set({ touched: true });
    const onWait = (/** @type {number} */ seconds) => tell(`The server makes room; again in ${seconds} s …`);
    try {
      const source = image;
      const posterior = await retry(() => encode(shown.id, shown.dataset, source, signal), { signal, onWait });
      if (signal.aborted) return;
      tell('');
      store.set({ posterior });
    } catch (error) {
      if (signal.aborted) return; // a newer image is on its way
      if (!(error instanceof ApiError)) throw error;
      store.set({ posterior: null });
      tell(error.message);
    }
  }

  /** @type {(model: string, dataset: string, source: Blob | number, signal: AbortSignal) => Promise<Posterior>} */
  async function encode(model, dataset, source, signal) {
    const file = typeof source === 'number' ? await api.testImage(dataset, source, signal) : source;
    const encoded = await api.encode(model, file, signal);
    const { noise } = store.get();
    return noise ? encodeNoisy(model, encoded, noise, signal) : { ...encoded, denoised: null };
  }

  /** @type {(model: string, encoded: Encoded, noise: number, signal: AbortSignal) => Promise<Posterior>} */
  async function encodeNoisy(model, encoded, noise, signal) {
    const clean = await intensitiesOf(encoded.input);
    const noisy = withNoise(clean, noise);
    const answer = await api.encodePixels(model, inRows(noisy), signal);
    const after = distanceOf(clean, await intensitiesOf(answer.reconstruction));
    const step = {
      name: 'noised',
      detail: `Normal noise of deviation ${noise} was put on every pixel, and the sum cut off at black and white.`,
      image: answer.input,
    };
    const denoised = { clean: dataUrl(encoded.input), before: distanceOf(clean, noisy), after };
    return { ...answer, steps: [...encoded.steps, step], denoised };
  }

  return {
    /** @type {(source: Blob | number | null) => void} */
    encode(source) {
      image = source;
      void run();
    },
    again() {
      if (image !== null) void run();
    },
    hasImage: () => image !== null,
    stop: () => request.abort(),
  };
}

/** Grey levels as 0..1. @type {(image: import('../api.js').Image) => Promise<number[]>} */
const intensitiesOf = async (image) => Array.from(await levelsOf(image), (level) => level / 255);

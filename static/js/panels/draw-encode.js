/**
 * Encodes the visitor's image with the shown model, and puts the newest result into the store.
 *
 * As in training, noise is added to the 28 x 28 intensities that the network sees. So the server prepares the image
 * in a first call, and a second call encodes the noisy intensities.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').Posterior} Posterior
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../api.js').Encoded} Encoded
 */
import { ApiError } from '../api.js';
import { dataUrl, levelsOf } from '../lib/pixels.js';
import { retry, busyFor } from '../lib/retry.js';
import { distanceOf, inRows, withNoise } from './noise-maths.js';

/**
 * @param {Store} store
 * @param {Api} api
 * @param {(message: string) => void} showProblem  called with an empty message when there is none
 */
export function createEncoder(store, api, showProblem) {
  /** A file, or the index of a test image. @type {Blob | number | null} */
  let image = null;
  let request = new AbortController();

  async function run() {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    const { shown } = store.get();
    showProblem('');
    if (image === null || !shown) return store.set({ posterior: null });
    store.set({ touched: true });
    const onWait = (/** @type {number} */ seconds) => showProblem(busyFor(seconds));
    try {
      const source = image;
      const posterior = await retry(() => encode(shown.id, shown.dataset, source, signal), { signal, onWait });
      if (signal.aborted) return;
      showProblem('');
      store.set({ posterior });
    } catch (error) {
      if (signal.aborted) return; // a newer image is on its way
      if (!(error instanceof ApiError)) throw error;
      store.set({ posterior: null });
      showProblem(error.message);
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

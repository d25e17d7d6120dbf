/**
 * Encodes the visitor's image with the shown model, and puts the newest result into the store.
 *
 * As in training, noise is added to the intensities that the network sees. So the server prepares the image
 * in a first call, and a second call encodes the noisy intensities.
 *
 * A new image takes the place of the one on its way. What the visitor says of an image waits for the answer to what was
 * said before, the newest alone, so that the page follows a drag however far the server is.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').Posterior} Posterior
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../api.js').Card} Card
 * @typedef {import('../api.js').Encoded} Encoded
 * @typedef {import('../api.js').Overrides} Overrides
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
  /** @type {Overrides | null} */
  let said = null;
  let request = new AbortController();
  let isRunning = false;
  /** Whether something else has been said since the request was sent. */
  let isOld = false;

  async function run() {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    const { shown } = store.get();
    isRunning = isOld = false;
    showProblem('');
    if (image === null || !shown) return store.set({ posterior: null });
    store.set({ touched: true });
    isRunning = true;
    const onWait = (/** @type {number} */ seconds) => showProblem(busyFor(seconds));
    try {
      const [source, overrides] = [image, said];
      const posterior = await retry(() => encode(shown, source, overrides, signal), { signal, onWait });
      if (signal.aborted) return;
      showProblem('');
      store.set({ posterior });
    } catch (error) {
      if (signal.aborted) return; // a newer image is on its way
      if (!(error instanceof ApiError)) throw error;
      store.set({ posterior: null });
      showProblem(error.message);
    }
    isRunning = false;
    if (isOld) void run();
  }

  /**
   * @type {(card: Card, source: Blob | number, overrides: Overrides | null, signal: AbortSignal) => Promise<Posterior>}
   */
  async function encode(card, source, overrides, signal) {
    const file = typeof source === 'number' ? await api.testImage(card.dataset, source, signal) : source;
    const encoded = await api.encode(card.id, file, overrides, signal);
    const { noise } = store.get();
    return noise ? encodeNoisy(card, encoded, noise, signal) : { ...encoded, denoised: null };
  }

  /** @type {(card: Card, encoded: Encoded, noise: number, signal: AbortSignal) => Promise<Posterior>} */
  async function encodeNoisy({ id, image: shape }, encoded, noise, signal) {
    const clean = await intensitiesOf(encoded.input, shape.channels);
    const noisy = withNoise(clean, noise);
    const answer = await api.encodePixels(id, inRows(noisy, shape), signal);
    const after = distanceOf(clean, await intensitiesOf(answer.reconstruction, shape.channels));
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
      said = null;
      void run();
    },
    /** Encode the same image as the visitor says. @type {(overrides: Overrides) => void} */
    adjust(overrides) {
      said = overrides;
      if (isRunning) isOld = true;
      else void run();
    },
    again() {
      if (image !== null) void run();
    },
    hasImage: () => image !== null,
    stop: () => request.abort(),
  };
}

/** Levels as 0..1. @type {(image: import('../api.js').Image, channels: number) => Promise<number[]>} */
const intensitiesOf = async (image, channels) => Array.from(await levelsOf(image, channels), (level) => level / 255);

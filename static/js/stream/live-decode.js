/**
 * Keeps a stream open for the chosen model: every new latent goes out, and each image is painted as it comes. Were it
 * to wait for an animation frame, one that comes while the browser makes a frame would be shown two frames late.
 *
 * Measures that tests and benchmarks read from `performance`:
 * - `pointer-to-pixel`: from a pointer's or key's event to the image on its canvases,
 * - `round-trip`: from the latent's sending to its image's arrival.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('./stream.js').Frame} Frame
 * @typedef {import('./stream.js').Stream} Stream
 */
import { createStream } from './stream.js';

/** The browser keeps every measure until it is told not to. */
const MOST_MEASURES = 5000;

const surroundings = {
  now: () => performance.now(),
  /** @type {(task: () => void, milliseconds: number) => number} */
  later: (task, milliseconds) => setTimeout(task, milliseconds),
  /** @type {(timer: number) => void} */
  cancel: (timer) => clearTimeout(timer),
  /** @type {(task: () => void) => void} */
  nextFrame: (task) => void requestAnimationFrame(task),
};

/**
 * @param {HTMLElement} _root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(_root, store, api) {
  /** @type {Stream | null} */
  let stream = null;
  let model = '';
  let measures = 0;

  /** @param {Frame} frame */
  function receive(frame) {
    const end = performance.now();
    performance.measure('round-trip', { start: end - frame.roundTrip, end });
    if (store.get().past) return;
    store.set({ frame });
    if (frame.startedAt) performance.measure('pointer-to-pixel', { start: frame.startedAt, end: performance.now() });
    if (++measures > MOST_MEASURES) {
      performance.clearMeasures();
      measures = 0;
    }
  }

  const retry = () => stream?.retry();
  addEventListener('online', retry);
  const unwatch = store.watch(['latent', 'atlas', 'past'], ({ atlas, latent, past, movedAt }) => {
    if (!atlas) {
      stream?.close();
      stream = null;
      model = '';
      return;
    }
    if (!latent) return;
    if (atlas.card.id !== model) {
      stream?.close();
      model = atlas.card.id;
      stream = createStream({
        connect: () => api.stream(atlas.card.id),
        onFrame: receive,
        onConnection: (connection) => store.set({ connection }),
        surroundings,
      });
    }
    if (!past) stream?.offer(latent, movedAt);
  });
  return () => {
    removeEventListener('online', retry);
    stream?.close();
    unwatch();
  };
}

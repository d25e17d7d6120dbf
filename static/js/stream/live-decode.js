/**
 * Follows the point of the shown model: offers every new latent and puts each image into the store as it arrives.
 * Waiting for an animation frame would show some of them two frames late.
 *
 * Measures in `performance`, which tests and benchmarks read:
 * - `pointer-to-pixel`: from a pointer or key event to the image on its canvases,
 * - `round-trip`: from sending the latent to the arrival of its image.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('./pump.js').Frame} Frame
 * @typedef {import('./stream.js').Stream} Stream
 */
import { MAX_IN_FLIGHT } from './flight-window.js';
import { createStream } from './stream.js';

/** The measures are cleared after so many, because the browser keeps them all. */
const MAX_MEASURES = 5000;

/** By HTTP/1.1 a browser opens at most this many connections to one host. */
const MAX_CONNECTIONS = 6;

const environment = {
  now: () => performance.now(),
  /** @type {(task: () => void, milliseconds: number) => number} */
  later: (task, milliseconds) => setTimeout(task, milliseconds),
  /** @type {(timer: number) => void} */
  cancel: (timer) => clearTimeout(timer),
  /** @type {(task: (time: number) => void) => void} */
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
    if (store.get().trainingTime) return;
    store.set({ frame });
    if (frame.startedAt) performance.measure('pointer-to-pixel', { start: frame.startedAt, end: performance.now() });
    if (++measures > MAX_MEASURES) {
      performance.clearMeasures();
      measures = 0;
    }
  }

  const reconnect = () => stream?.reconnect();
  addEventListener('online', reconnect);
  const unwatch = store.watch(['latent', 'atlas', 'trainingTime'], ({ atlas, latent, trainingTime, movedAt }) => {
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
        decode: (latent, signal) => api.decode(atlas.card.id, latent, signal),
        maxRequests: isMultiplexed() ? MAX_IN_FLIGHT : MAX_CONNECTIONS,
        onFrame: receive,
        onConnection: (connection) => store.set({ connection }),
        environment,
      });
    }
    if (!trainingTime) stream?.offer(latent, movedAt);
  });
  return () => {
    removeEventListener('online', reconnect);
    stream?.close();
    unwatch();
  };
}

/** Whether the page came by HTTP/2 or later, where one connection carries all requests. */
function isMultiplexed() {
  const [page] = performance.getEntriesByType('navigation');
  return page instanceof PerformanceNavigationTiming && /^h[23]/.test(page.nextHopProtocol);
}

/**
 * Follows the point of the shown model: offers every new latent and puts each image into the store as it arrives.
 * Waiting for an animation frame would show some of them two frames late. It also tells the store whether the image is
 * that of the point, and how the server is reached.
 *
 * Measures in `performance`, which tests and benchmarks read:
 * - `pointer-to-pixel`: from a pointer or key event to the image on its canvases,
 * - `round-trip`: from sending the latent to the arrival of its image.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('./pump.js').Frame} Frame
 * @typedef {import('./stream.js').Connection} Connection
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
  const listeners = new AbortController();
  let model = '';
  let measures = 0;
  /** Of the stream. @type {Connection} */
  let connection = 'connecting';
  let isBehind = false;
  /** When the browser lost its network; images sent for since then show that the server is near. */
  let offlineAt = navigator.onLine ? Infinity : performance.now();

  function tell() {
    const isOffline = offlineAt < Infinity;
    store.set({
      connection: isOffline ? 'offline' : connection,
      isBehind: isBehind && !store.get().trainingTime, // the images of the training are made in the page
    });
  }

  /** @type {(frame: Frame, image: import('../lib/image-shape.js').ImageShape) => void} */
  function receive(frame, image) {
    const end = performance.now();
    if (end - frame.roundTrip > offlineAt) {
      offlineAt = Infinity;
      tell();
    }
    performance.measure('round-trip', { start: end - frame.roundTrip, end });
    if (store.get().trainingTime) return;
    store.set({ frame: { ...frame, image } });
    if (frame.startedAt) performance.measure('pointer-to-pixel', { start: frame.startedAt, end: performance.now() });
    if (++measures > MAX_MEASURES) {
      performance.clearMeasures();
      measures = 0;
    }
  }

  function close() {
    stream?.close();
    stream = null;
    isBehind = false;
    tell();
  }

  /** @param {Readonly<import('../store.js').State>} state */
  function offer({ atlas, latent, trainingTime, movedAt }) {
    if (stream && atlas?.card.id !== model) close();
    if (!atlas || !latent) return;
    if (!stream) {
      model = atlas.card.id;
      stream = createStream({
        connect: () => api.stream(atlas.card.id),
        decode: (point, signal) => api.decode(atlas.card.id, [point], signal),
        maxRequests: isMultiplexed() ? MAX_IN_FLIGHT : MAX_CONNECTIONS,
        onFrame: (frame) => receive(frame, atlas.card.image),
        onConnection: (next) => {
          connection = next;
          tell();
        },
        onBehind: (next) => {
          isBehind = next;
          tell();
        },
        environment,
      });
    }
    if (!trainingTime) stream.offer(latent, movedAt);
  }

  const { signal } = listeners;
  addEventListener('online', () => {
    offlineAt = Infinity;
    tell();
    stream?.reconnect();
  }, { signal });
  addEventListener('offline', () => {
    offlineAt = performance.now();
    tell();
  }, { signal });
  const ends = [store.watch(['trainingTime'], tell), store.watch(['latent', 'atlas', 'trainingTime'], offer)];
  return () => {
    listeners.abort();
    close();
    ends.forEach((end) => end());
  };
}

/** Whether the page came by HTTP/2 or later, where one connection carries all requests. */
function isMultiplexed() {
  const [page] = performance.getEntriesByType('navigation');
  return page instanceof PerformanceNavigationTiming && /^h[23]/.test(page.nextHopProtocol);
}

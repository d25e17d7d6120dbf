/**
 * Moves the camera: at once, in a flight, or in a glide after a flick. A motion ends when something else moves the
 * camera. With reduced motion the camera jumps, and there is no glide.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').View} View
 * @typedef {import('./camera.js').Camera} Camera
 * @typedef {import('./camera.js').Framing} Framing
 * @typedef {import('./camera.js').Screen} Screen
 */
import { prefersStillness } from '../lib/theme.js';
import { allowedFactor, between, framingOf, glide, GLIDE, lookingAt, pan, within, zoomAbout } from './camera.js';

const FLIGHT_MILLISECONDS = 220;
/** A glide ends after this many time constants. */
const GLIDE_CONSTANTS = 5;

/** @type {(part: number) => number} */
const ease = (part) => 1 - (1 - part) ** 3;

/** @param {Store} store */
export function createCameraMotion(store) {
  let frame = 0;
  /** The target of the flight in progress. @type {Camera | null} */
  let goal = null;

  /** @type {(view: View, camera: Camera) => Framing} */
  const framed = ({ whole, limits }, camera) => framingOf(within(camera, limits), whole, limits.eye);

  function stop() {
    cancelAnimationFrame(frame);
    goal = null;
  }

  /**
   * @param {number} milliseconds
   * @param {(elapsed: number) => Camera} at
   * @param {() => void} [arrive]
   */
  function animate(milliseconds, at, arrive) {
    let mine = store.get().framing;
    const start = performance.now();
    const step = () => {
      const { view, framing } = store.get();
      if (!view || framing !== mine) return stop();
      const elapsed = Math.min(milliseconds, performance.now() - start);
      mine = framed(view, at(elapsed));
      store.set({ framing: mine });
      if (elapsed < milliseconds) {
        frame = requestAnimationFrame(step);
        return;
      }
      stop();
      arrive?.();
    };
    step();
  }

  /** @type {(camera: Camera, arrive?: () => void) => void} */
  function fly(camera, arrive) {
    const { view } = store.get();
    stop();
    if (!view) return;
    const from = view.camera;
    const to = within(camera, view.limits);
    goal = to;
    const milliseconds = prefersStillness() ? 0 : FLIGHT_MILLISECONDS;
    animate(milliseconds, (elapsed) => between(from, to, milliseconds ? ease(elapsed / milliseconds) : 1), arrive);
  }

  return {
    stop,
    fly,

    /** The camera, or the target of its flight. */
    target: () => goal ?? store.get().view?.camera ?? null,

    /** @type {(camera: Camera) => void} */
    set(camera) {
      stop();
      const { view } = store.get();
      if (view) store.set({ framing: framed(view, camera) });
    },

    /**
     * Zoom about a place of the screen, by default about the eye.
     *
     * @type {(factor: number, place?: Screen, arrive?: () => void) => void}
     */
    zoom(factor, place, arrive) {
      const { view } = store.get();
      const from = goal ?? view?.camera;
      if (!view || !from) return;
      const { limits } = view;
      fly(zoomAbout(from, allowedFactor(from, factor, limits), place ?? limits.eye), arrive);
    },

    /** Fly to a point of the plane. @type {(point: import('../latent/box.js').Point) => void} */
    lookAt(point) {
      const { view } = store.get();
      if (view) fly(lookingAt(point, view.camera.scale, view.limits.eye));
    },

    /** Fly back to the whole map. @type {(arrive?: () => void) => void} */
    reset(arrive) {
      const { view } = store.get();
      if (!view) return;
      fly(view.whole, () => {
        store.set({ framing: null });
        arrive?.();
      });
    },

    /** @type {(vx: number, vy: number) => void} */
    glide(vx, vy) {
      const { view } = store.get();
      stop();
      if (!view || prefersStillness()) return;
      const { camera } = view;
      animate(GLIDE_CONSTANTS * GLIDE, (elapsed) => pan(camera, glide(vx, elapsed), glide(vy, elapsed)));
    },
  };
}

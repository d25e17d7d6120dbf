/**
 * Zooms by keys and buttons: about the ring if it is in sight, else about the middle of the free part of the map. A
 * screen reader hears what the map then shows.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { footOf } from '../latent/plane.js';
import { createCameraMotion } from './camera-motion.js';
import { screenX, screenY } from './camera.js';
import { createPointMover } from './move-point.js';

const STEP = 2;

/**
 * @param {HTMLElement} map
 * @param {Store} store
 * @param {ReturnType<typeof createCameraMotion>} motion
 */
export function createZoomSteps(map, store, motion) {
  const mover = createPointMover(map, store);

  /** The place of the ring on the screen at the end of a flight; undefined: it is not in sight. */
  function ringPlace() {
    const { atlas, latent } = store.get();
    const camera = motion.target();
    if (!atlas || !latent || !camera) return undefined;
    const foot = footOf(atlas.plane, latent);
    mover.measure();
    return mover.isFree(foot) ? { x: screenX(camera, foot.u), y: screenY(camera, foot.v) } : undefined;
  }

  function say() {
    const { view } = store.get();
    if (view) store.set({ announcement: describeZoom(view.camera.scale / view.whole.scale) });
  }

  return {
    zoomIn: () => motion.zoom(STEP, ringPlace(), say),
    zoomOut: () => motion.zoom(1 / STEP, ringPlace(), say),
    showWhole: () => motion.reset(say),
  };
}

/** @param {number} zoom  relative to the whole map */
export function describeZoom(zoom) {
  const rounded = Number(zoom.toPrecision(2));
  return rounded === 1 ? 'The whole map is shown.' : `The map is shown at ${rounded} times its first size.`;
}

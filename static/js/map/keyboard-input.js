/**
 * Keyboard input on the map. Arrow keys move the point, with Shift in fine steps; Home moves it to the middle. Plus
 * and minus zoom, 0 shows the whole map, and Alt with an arrow key moves the map.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { clamp } from '../latent/box.js';
import { footOf, latentAt, movedTo } from '../latent/plane.js';
import { find } from '../lib/dom.js';
import { roundLength } from '../lib/round-numbers.js';
import { createCameraMotion } from './camera-motion.js';
import { pan } from './camera.js';
import { createPointMover } from './move-point.js';
import { createZoomSteps } from './zoom-step.js';

/** An arrow key moves the point by about this part of the visible plane; with Shift, by a tenth of that. */
const KEY_STEP = 1 / 50;
/** With Alt an arrow key moves the map by this part of its smaller side. */
const PAN_STEP = 1 / 6;

/** @type {Readonly<Record<string, readonly [number, number]>>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const map = find(root, '.map', HTMLElement);
  const motion = createCameraMotion(store);
  const mover = createPointMover(map, store);
  const steps = createZoomSteps(map, store, motion);

  /** @type {(latent: number[], movedAt: number) => void} */
  const moveTo = (latent, movedAt) => store.set({ latent, movedAt, touched: true, playing: false });

  /** @param {KeyboardEvent} event */
  function key(event) {
    const { atlas, view, latent } = store.get();
    if (!atlas || !view || !latent || event.ctrlKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (arrow && event.altKey) {
      const target = motion.target() ?? view.camera;
      const step = PAN_STEP * Math.min(view.width, view.height);
      motion.fly(pan(target, -arrow[0] * step, arrow[1] * step));
    } else if (event.altKey) return;
    else if (arrow) {
      const step = roundLength((view.reach.v1 - view.reach.v0) * KEY_STEP) / (event.shiftKey ? 10 : 1);
      const { u, v } = footOf(atlas.plane, latent);
      const to = clamp(view.limits.bounds, { u: u + arrow[0] * step, v: v + arrow[1] * step });
      moveTo(movedTo(atlas.plane, latent, to), event.timeStamp);
      mover.measure();
      if (!mover.isFree(to)) motion.lookAt(to);
    } else if (event.key === 'Home') moveTo(latentAt(atlas.plane, { u: 0, v: 0 }), event.timeStamp);
    else if (event.key === '+' || event.key === '=') steps.zoomIn();
    else if (event.key === '-' || event.key === '_') steps.zoomOut();
    else if (event.key === '0') steps.showWhole();
    else return;
    event.preventDefault();
  }

  map.addEventListener('keydown', key);
  return () => {
    motion.stop();
    map.removeEventListener('keydown', key);
  };
}

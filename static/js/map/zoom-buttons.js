/**
 * The buttons that zoom in, zoom out and show the whole map, and the minimap. The minimap is shown while the map
 * shows a part; a press on it moves the camera there.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { contains } from '../latent/box.js';
import { find } from '../lib/dom.js';
import { createCameraMotion } from './camera-motion.js';
import { lookingAt, visibleBox } from './camera.js';
import { extentOf } from './tile-grid.js';
import { createZoomSteps } from './zoom-step.js';

/** The smallest side of the minimap's frame, as a part of the minimap. */
const MIN_FRAME = 0.05;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const zoomIn = find(root, '#zoom-in', HTMLButtonElement);
  const zoomOut = find(root, '#zoom-out', HTMLButtonElement);
  const whole = find(root, '#show-whole', HTMLButtonElement);
  const minimap = find(root, '#minimap', HTMLElement);
  const image = find(minimap, 'img', HTMLImageElement);
  const frame = find(minimap, 'i', HTMLElement);
  const motion = createCameraMotion(store);
  const steps = createZoomSteps(find(root, '#map', HTMLElement), store, motion);
  const listeners = new AbortController();

  /** @param {PointerEvent} event */
  function moveTo(event) {
    const { atlas, view } = store.get();
    if (!atlas || !view || !(event.buttons & 1)) return;
    const { left, top, width, height } = image.getBoundingClientRect();
    const { u0, v0, u1, v1 } = extentOf(atlas.plane);
    const u = u0 + ((event.clientX - left) / width) * (u1 - u0);
    const v = v1 - ((event.clientY - top) / height) * (v1 - v0);
    minimap.setPointerCapture(event.pointerId);
    motion.set(lookingAt({ u, v }, view.camera.scale, view.limits.eye));
  }

  const { signal } = listeners;
  zoomIn.addEventListener('click', steps.zoomIn, { signal });
  zoomOut.addEventListener('click', steps.zoomOut, { signal });
  whole.addEventListener('click', steps.showWhole, { signal });
  minimap.addEventListener('pointerdown', moveTo, { signal });
  minimap.addEventListener('pointermove', moveTo, { signal });

  const ends = [
    store.watch(['atlas'], ({ atlas }) => {
      if (atlas) image.src = api.tileUrl(atlas.card.id, atlas.plane, { level: 0, x: 0, y: 0 });
    }),
    store.watch(['atlas', 'view', 'framing'], ({ atlas, view, framing }) => {
      whole.ariaDisabled = `${framing === null}`;
      if (!atlas || !view) return;
      const { camera, width, height, limits } = view;
      zoomIn.ariaDisabled = `${camera.scale > 0.999 * limits.maxScale}`;
      zoomOut.ariaDisabled = `${camera.scale < 1.001 * limits.minScale}`;
      const extent = extentOf(atlas.plane);
      const shown = visibleBox({ camera, width, height });
      const isWhole = camera.scale < 1.001 * view.whole.scale
        || contains(shown, { u: extent.u0, v: extent.v0 }) && contains(shown, { u: extent.u1, v: extent.v1 });
      minimap.hidden = isWhole;
      if (isWhole) return;
      const side = extent.u1 - extent.u0;
      const part = Math.max(MIN_FRAME, (shown.u1 - shown.u0) / side);
      const down = Math.max(MIN_FRAME, (shown.v1 - shown.v0) / side);
      const u = ((shown.u0 + shown.u1) / 2 - extent.u0) / side;
      const v = (extent.v1 - (shown.v0 + shown.v1) / 2) / side;
      Object.assign(frame.style, {
        width: `${100 * part}%`,
        height: `${100 * down}%`,
        left: `${100 * (u - part / 2)}%`,
        top: `${100 * (v - down / 2)}%`,
      });
    }),
  ];
  return () => {
    motion.stop();
    listeners.abort();
    ends.forEach((end) => end());
  };
}

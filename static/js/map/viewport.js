/**
 * Computes the view: the visitor's framing, or else the whole map, fitted into the part of the window that no panel
 * covers. The stylesheet marks that part by an empty element, `clear`; another, `reach`, is the inside of the map's
 * frame. A point that leaves the map pans the camera.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').View} View
 * @typedef {import('./camera.js').Rect} Rect
 */
import { contains, including } from '../latent/box.js';
import { footOf } from '../latent/plane.js';
import { find } from '../lib/dom.js';
import { boxOf, fit, framingOf, lookingAt, visibleBox, within } from './camera.js';
import { DEEPEST, extentOf, scaleOf } from './tile-grid.js';

/** The deepest tiles are shown at most at this many times their own size. */
const MAX_MAGNIFICATION = 2;
/** The whole plane fills at most this part of the free screen. */
const FILL = 0.96;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const map = find(root, '.map', HTMLElement);
  const clear = find(root, '.clear', HTMLElement);
  const reach = find(root, '.reach', HTMLElement);
  /** What the last layout depended on, so that the map moves only if that has changed. */
  let laidOutFor = '';
  /** @type {Pick<View, 'width' | 'height' | 'whole' | 'limits'> & {inside: Rect} | null} */
  let layout = null;

  function layOut() {
    const { atlas, latent } = store.get();
    const { left, top, width, height } = map.getBoundingClientRect();
    if (!atlas || !width || !height) return;
    /** @type {(element: HTMLElement) => Rect} */
    const place = (element) => {
      const rect = element.getBoundingClientRect();
      return {
        left: rect.left - left,
        top: rect.top - top,
        right: rect.right - left,
        bottom: rect.bottom - top,
      };
    };
    const free = place(clear);
    const inside = place(reach);
    const sizes = [width, height, ...Object.values(free), ...Object.values(inside)];
    const layoutKey = [atlas.card.id, atlas.base.id, ...sizes].join();
    if (layoutKey === laidOutFor) return;
    laidOutFor = layoutKey;
    const box = latent ? including(atlas.view, footOf(atlas.plane, latent)) : atlas.view;
    const extent = extentOf(atlas.plane);
    const low = including(extent, { u: box.u0, v: box.v0 });
    const bounds = including(low, { u: box.u1, v: box.v1 });
    const whole = fit(box, free);
    const eye = { x: (free.left + free.right) / 2, y: (free.top + free.bottom) / 2 };
    const minScale = Math.min(whole.scale, FILL * fit(bounds, free).scale);
    const maxScale = Math.max(2 * whole.scale, MAX_MAGNIFICATION * scaleOf(DEEPEST, extent));
    layout = { width, height, inside, whole, limits: { minScale, maxScale, bounds, eye } };
    look();
  }

  function look() {
    if (!layout) return;
    const { framing } = store.get();
    const { inside, ...rest } = layout;
    const { whole, limits, width, height } = rest;
    const camera = framing
      ? within(lookingAt(framing, framing.zoom * whole.scale, limits.eye), limits)
      : whole;
    store.set({ view: { camera, ...rest, reach: boxOf(camera, inside) } });
    const shown = visibleBox({ camera, width, height });
    map.dataset.view = [shown.u0, shown.v0, shown.u1, shown.v1].join(',');
  }

  function follow() {
    const { atlas, latent, view, touched } = store.get();
    if (!atlas || !latent || !view || !layout || !touched) return;
    const foot = footOf(atlas.plane, latent);
    if (contains(view.reach, foot)) return;
    const { limits } = layout;
    limits.bounds = including(limits.bounds, foot);
    const { eye } = limits;
    store.set({ framing: framingOf(lookingAt(foot, view.camera.scale, eye), view.whole, eye) });
  }

  const observer = new ResizeObserver(layOut);
  for (const element of [map, clear, reach]) observer.observe(element);
  const ends = [store.watch(['atlas'], layOut), store.watch(['framing'], look), store.watch(['latent'], follow)];
  return () => {
    observer.disconnect();
    ends.forEach((end) => end());
  };
}

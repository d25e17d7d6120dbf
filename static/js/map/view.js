/**
 * Keeps the camera: fits the model's codes into the part of the map that no panel covers, and does so anew when
 * the window changes. The stylesheet says where that part is by an empty element, `clear`; another, `reach`, is
 * the inside of the map's frame.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../camera.js').Rect} Rect
 */
import { boxOf, fit, including } from '../camera.js';
import { find } from '../elements.js';
import { footOf } from '../plane.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const map = find(root, '#map', HTMLElement);
  const clear = find(root, '#clear', HTMLElement);
  const reach = find(root, '#reach', HTMLElement);
  /** What the last camera was made for: it does not move without need. */
  let laidOut = '';

  function layOut() {
    const { atlas, latent } = store.get();
    const { left, top, width, height } = map.getBoundingClientRect();
    if (!atlas || !width || !height) return;
    /** @type {(element: HTMLElement) => Rect} */
    const within = (element) => {
      const rect = element.getBoundingClientRect();
      return {
        left: rect.left - left,
        top: rect.top - top,
        right: rect.right - left,
        bottom: rect.bottom - top,
      };
    };
    const rects = [within(clear), within(reach)].flatMap((rect) => Object.values(rect));
    const known = [atlas.card.id, width, height, ...rects].join();
    if (known === laidOut) return;
    laidOut = known;
    const box = latent ? including(atlas.view, footOf(atlas.plane, latent)) : atlas.view;
    const camera = fit(box, within(clear));
    store.set({ view: { camera, width, height, reach: boxOf(camera, within(reach)) } });
    const shown = boxOf(camera, { left: 0, top: 0, right: width, bottom: height });
    map.dataset.view = [shown.u0, shown.v0, shown.u1, shown.v1].join(',');
  }

  const resized = new ResizeObserver(layOut);
  for (const element of [map, clear, reach]) resized.observe(element);
  const unwatch = store.watch(['atlas'], layOut);
  return () => {
    resized.disconnect();
    unwatch();
  };
}

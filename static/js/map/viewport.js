/**
 * Computes the view: the visitor's framing, or else the whole map, as large as it can be with next to no code under a
 * card. The stylesheet marks the part of the window for it by an empty element, `clear`; another, `reach`, is the
 * inside of the map's frame. A point that leaves the map pans the camera.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').View} View
 * @typedef {import('./camera.js').Rect} Rect
 */
import { contains, including } from '../latent/box.js';
import { createCodeCounts } from '../latent/code-counts.js';
import { footOf } from '../latent/plane.js';
import { find } from '../lib/dom.js';
import { boxOf, fit, fitAround, framingOf, lookingAt, visibleBox, within } from './camera.js';
import { coversOf, placeOn, sheetsOfPage } from './covers.js';
import { grown, overlap } from './rects.js';
import { DEEPEST, extentOf, scaleOf, tileSide } from './tile-grid.js';

/** The deepest tiles are shown at most at this many times their own size. */
const MAX_MAGNIFICATION = 2;
/** The whole plane fills at most this part of the free screen. */
const FILL = 0.96;
/** This share of the codes may lie under cards. */
const HIDDEN = 0.003;
/** Distance of the codes from the cards, CSS pixels. */
const MARGIN = 10;

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
  /** @type {Pick<View, 'width' | 'height' | 'whole' | 'limits' | 'covers'> & {inside: Rect} | null} */
  let layout = null;

  function layOut() {
    const { atlas, pending } = store.get();
    if (!atlas) return;
    const { width, height } = map.getBoundingClientRect();
    if (!width || !height) return;
    const sheets = coversOf(map);
    const whole = { left: 0, top: 0, right: width, bottom: height };
    const covers = sheets.map(({ rect }) => rect).filter((rect) => overlap(rect, whole));
    const [free, inside] = [placeOn(map, clear), placeOn(map, reach)];
    const lasting = sheets.filter(({ stays }) => stays).map(({ rect }) => grown(rect, MARGIN));
    const cards = lasting.filter((card) => overlap(card, free));
    const layoutKey = JSON.stringify([atlas.card.sha256, atlas.base.id, atlas.codes.count, width, height, free, inside, cards]);
    // While another model loads, its name may already have changed the title card.
    if (layoutKey !== laidOutFor && (!layout || !pending)) {
      laidOutFor = layoutKey;
      layout = { width, height, inside, covers, ...fitted(atlas, free, cards) };
    } else if (layout && JSON.stringify(layout.covers) !== JSON.stringify(covers)) layout.covers = covers;
    else return;
    look();
  }

  /** @type {(atlas: import('../latent/atlas.js').Atlas, free: Rect, cards: Rect[]) => Pick<View, 'whole' | 'limits'>} */
  function fitted(atlas, free, cards) {
    const { latent } = store.get();
    const box = latent ? including(atlas.view, footOf(atlas.plane, latent)) : atlas.view;
    const extent = extentOf(atlas.plane);
    const low = including(extent, { u: box.u0, v: box.v0 });
    const bounds = including(low, { u: box.u1, v: box.v1 });
    const whole = fitAround(box, free, cards, createCodeCounts(atlas), HIDDEN * atlas.codes.count);
    const eye = { x: (free.left + free.right) / 2, y: (free.top + free.bottom) / 2 };
    const minScale = Math.min(whole.scale, FILL * fit(bounds, free).scale);
    const maxScale = Math.max(2 * whole.scale, MAX_MAGNIFICATION * scaleOf(DEEPEST, extent, tileSide(atlas.plane, atlas.card.image)));
    return { whole, limits: { minScale, maxScale, bounds, eye } };
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
  for (const element of [map, clear, reach, ...sheetsOfPage()]) observer.observe(element);
  const ends = [store.watch(['atlas', 'pending'], layOut), store.watch(['framing'], look), store.watch(['latent'], follow)];
  return () => {
    observer.disconnect();
    ends.forEach((end) => end());
  };
}

/**
 * Keeps the points and cameras of two maps in step: whichever is moved leads, and the other follows. A map that pans
 * to keep its own point visible moves alone; that offset stays until the visitor shows the whole map.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../latent/box.js').Point} Point
 * @typedef {import('./correspondence.js').Offset} Offset
 */
import { footOf } from '../latent/plane.js';
import { framingOf, lookingAt } from '../map/camera.js';
import { framingFor, offsetOf, relativeViewOf, sameCoordinates, sameImage } from './correspondence.js';
import { linkOf } from './pairs.js';

/** @type {Offset} */
const NONE = { u: 0, v: 0 };

/**
 * @param {Store} page  holds `link`
 * @param {Store} second
 * @param {(store: Store, foot: Point) => boolean} [isFree]  whether the visitor could take hold of a ring at a point
 * @returns {() => void}  ends the synchronisation
 */
export function syncMaps(page, second, isFree = () => true) {
  /** The map that is moving the other at this moment. @type {Store | null} */
  let leader = null;
  let offsets = new Map([[page, NONE], [second, NONE]]);
  let shared = { x: 0, y: 0, zoom: 1 };

  /** @type {(from: Store, task: () => void) => void} */
  function lead(from, task) {
    if (leader) return;
    leader = from;
    try {
      task();
    } finally {
      leader = null;
    }
  }

  /** @type {(from: Store, to: Store) => void} */
  function movePoint(from, to) {
    if (leader) return;
    const { atlas, latent } = from.get();
    const target = to.get();
    if (!atlas || !target.atlas || latent?.length !== atlas.card.latent_dim) return;
    const link = linkOf(page.get().link, atlas.card, target.atlas.card);
    const current = target.latent?.length === target.atlas.card.latent_dim ? target.latent : target.atlas.plane.origin;
    const goal = link === 'image'
      ? sameImage(atlas, target.atlas, latent)
      : sameCoordinates(atlas, target.atlas, latent, current);
    if (!goal || goal.every((z, i) => z === target.latent?.[i])) return;
    const byVisitor = to === page && { touched: true, playing: false };
    lead(from, () => {
      to.set({ latent: goal, movedAt: 0, ...byVisitor });
      keepVisible(to);
    });
  }

  /** Pan a map whose point is now covered by a panel, unless it shows the whole. @param {Store} store */
  function keepVisible(store) {
    const { atlas, view, latent, framing } = store.get();
    if (!atlas || !view || !latent || !framing) return;
    const foot = footOf(atlas.plane, latent);
    if (isFree(store, foot)) return;
    const { eye } = view.limits;
    store.set({ framing: framingOf(lookingAt(foot, view.camera.scale, eye), view.whole, eye) });
  }

  /** @type {(from: Store, to: Store) => void} */
  function moveCamera(from, to) {
    const { view, framing } = from.get();
    const target = to.get().view;
    if (!view || !target) return;
    if (leader) {
      // The following map has panned to keep its point visible.
      if (from !== leader) offsets.set(from, offsetOf(view, shared, framing));
      return;
    }
    if (!framing) {
      offsets = new Map([[page, NONE], [second, NONE]]);
      shared = { x: 0, y: 0, zoom: 1 };
      return lead(from, () => to.set({ framing: null }));
    }
    shared = relativeViewOf(view, framing, offsets.get(from) ?? NONE);
    lead(from, () => to.set({ framing: framingFor(target, shared, offsets.get(to) ?? NONE) }));
  }

  /** The codes of the second model that last adopted the first map's framing. @type {unknown} */
  let adopted = null;
  function adopt() {
    if (leader) return;
    const { atlas, view } = second.get();
    if (!page.get().view || !view || !atlas || adopted === atlas.codes) return;
    adopted = atlas.codes;
    offsets.set(second, NONE);
    if (page.get().framing) moveCamera(page, second);
    lead(page, () => keepVisible(second));
  }

  leader = page; // `watch` calls back at once, before anything has moved
  const ends = [
    page.watch(['latent', 'atlas', 'link'], () => movePoint(page, second)),
    second.watch(['latent'], () => movePoint(second, page)),
    second.watch(['atlas'], () => movePoint(page, second)),
    page.watch(['framing'], () => moveCamera(page, second)),
    second.watch(['framing'], () => moveCamera(second, page)),
    page.watch(['view'], adopt),
    second.watch(['view'], adopt),
  ];
  leader = null;
  movePoint(page, second);
  adopt();
  return () => ends.forEach((end) => end());
}

/**
 * The bond between two maps: whichever is moved leads, the other follows, with its point and with its camera. A map
 * that goes after its own point does so alone, and keeps that distance until somebody asks for the whole.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../map/camera.js').Point} Point
 * @typedef {import('./correspondence.js').Offset} Offset
 */
import { framingOf, lookingAt } from '../map/camera.js';
import { footOf } from '../latent/plane.js';
import { linkOf } from './pairs.js';
import { framingFor, offsetOf, sameCoordinates, sameImage, sightOf } from './correspondence.js';

/** @type {Offset} */
const NONE = { u: 0, v: 0 };

/**
 * @param {Store} page  whose `link` says how
 * @param {Store} beside
 * @param {(store: Store, foot: Point) => boolean} [isFree]  whether a ring at a point of a map can be taken
 * @returns {() => void}  ends it
 */
export function bind(page, beside, isFree = () => true) {
  /** Who moves the other at the moment. @type {Store | null} */
  let leader = null;
  let offsets = new Map([[page, NONE], [beside, NONE]]);
  let sight = { x: 0, y: 0, zoom: 1 };

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
    const there = to.get();
    if (!atlas || !there.atlas || latent?.length !== atlas.card.latent_dim) return;
    const link = linkOf(page.get().link, atlas.card, there.atlas.card);
    const height = there.latent?.length === there.atlas.card.latent_dim ? there.latent : there.atlas.plane.origin;
    const goal = link === 'image'
      ? sameImage(atlas, there.atlas, latent)
      : sameCoordinates(atlas, there.atlas, latent, height);
    if (!goal || goal.every((z, i) => z === there.latent?.[i])) return;
    const isByHand = to === page && { touched: true, playing: false };
    lead(from, () => {
      to.set({ latent: goal, movedAt: 0, ...isByHand });
      keepInSight(to);
    });
  }

  /** A point that was sent under a sheet takes its map along, unless that shows the whole. @param {Store} store */
  function keepInSight(store) {
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
    const there = to.get().view;
    if (!view || !there) return;
    if (leader) {
      // It followed its point.
      if (from !== leader) offsets.set(from, offsetOf(view, sight, framing));
      return;
    }
    if (!framing) {
      offsets = new Map([[page, NONE], [beside, NONE]]);
      sight = { x: 0, y: 0, zoom: 1 };
      return lead(from, () => to.set({ framing: null }));
    }
    sight = sightOf(view, framing, offsets.get(from) ?? NONE);
    lead(from, () => to.set({ framing: framingFor(there, sight, offsets.get(to) ?? NONE) }));
  }

  /** By its codes, the model that has taken over what the page shows. @type {unknown} */
  let settled = null;
  function settle() {
    if (leader) return;
    const { atlas, view } = beside.get();
    if (!page.get().view || !view || !atlas || settled === atlas.codes) return;
    settled = atlas.codes;
    offsets.set(beside, NONE);
    if (page.get().framing) moveCamera(page, beside);
    lead(page, () => keepInSight(beside));
  }

  leader = page; // watching calls back at once, and nobody has moved yet
  const ends = [
    page.watch(['latent', 'atlas', 'link'], () => movePoint(page, beside)),
    beside.watch(['latent'], () => movePoint(beside, page)),
    beside.watch(['atlas'], () => movePoint(page, beside)),
    page.watch(['framing'], () => moveCamera(page, beside)),
    beside.watch(['framing'], () => moveCamera(beside, page)),
    page.watch(['view'], settle),
    beside.watch(['view'], settle),
  ];
  leader = null;
  movePoint(page, beside);
  settle();
  return () => ends.forEach((end) => end());
}

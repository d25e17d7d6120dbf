/**
 * Moves the point only to where the visitor can take hold of its ring again: inside the map, and not under a panel.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../latent/box.js').Point} Point
 * @typedef {import('./camera.js').Rect} Rect
 */
import { clamp, contains } from '../latent/box.js';
import { movedTo } from '../latent/plane.js';
import { planeU, planeV, screenX, screenY } from './camera.js';
import { coversOf } from './covers.js';
import { outside } from './label-layout.js';
import { grown } from './rects.js';

/** Distance of the point from what covers the map, CSS pixels. */
const CLEARANCE = 12;

/**
 * @param {HTMLElement} map
 * @param {Store} store
 */
export function createPointMover(map, store) {
  /** What covers the map. @type {Rect[]} */
  let sheets = [];
  return {
    /** Measure what covers the map; called at the start of a gesture. */
    measure() {
      sheets = coversOf(map).map(({ rect }) => grown(rect, CLEARANCE));
    },

    /** Return whether the visitor could take hold of a ring at a point. @type {(point: Point) => boolean} */
    isFree(point) {
      const { view } = store.get();
      if (!view || !contains(view.reach, point)) return false;
      const place = { x: screenX(view.camera, point.u), y: screenY(view.camera, point.v) };
      const free = outside(place, sheets);
      return free.x === place.x && free.y === place.y;
    },

    /** @type {(point: Point, movedAt: number) => void} */
    moveTo(point, movedAt) {
      const { atlas, view, latent } = store.get();
      if (!atlas || !view || !latent) return;
      const { camera, reach } = view;
      const { u, v } = clamp(reach, point);
      const free = outside({ x: screenX(camera, u), y: screenY(camera, v) }, sheets);
      const moved = movedTo(atlas.plane, latent, { u: planeU(camera, free.x), v: planeV(camera, free.y) });
      store.set({ latent: moved, movedAt, touched: true, playing: false });
    },
  };
}

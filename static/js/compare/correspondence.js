/**
 * Maps the point and the camera of one map to another. Pure mathematics, no DOM.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../api.js').Codes} Codes
 * @typedef {import('../map/camera.js').Framing} Framing
 * @typedef {import('../latent/plane.js').Latent} Latent
 * @typedef {import('../store.js').View} View
 *
 * @typedef {{u: number, v: number}} Offset  latent units
 *
 * @typedef {object} RelativeView  what a map shows relative to its whole, so that it applies to any map
 * @property {number} x  from the middle of the whole to the right, in CSS pixels at the scale of the whole
 * @property {number} y  upwards
 * @property {number} zoom  1 shows the whole
 */
import { codeOf } from '../latent/atlas.js';
import { clamp } from '../latent/box.js';
import { createNearest } from '../latent/nearest.js';
import { footOf, movedTo } from '../latent/plane.js';
import { planeU, planeV } from '../map/camera.js';
import { extentOf } from '../map/tile-grid.js';

/** @type {WeakMap<Codes, ReturnType<typeof createNearest>>} */
const searches = new WeakMap();

/**
 * Return the test image whose code is nearest to a latent, in all dimensions.
 *
 * @param {Pick<Atlas, 'codes'>} atlas
 * @param {Latent} latent
 * @returns {number}  its index; -1 if there are no codes
 */
export function nearestImage({ codes }, latent) {
  const search = searches.get(codes) ?? createNearest(codes, 1);
  searches.set(codes, search);
  return search(latent).index;
}

/**
 * Return the second model's code of the test image that is nearest to a latent in the first model.
 *
 * @param {Pick<Atlas, 'codes'>} from
 * @param {Pick<Atlas, 'codes'>} to  of the same images
 * @param {Latent} latent
 * @returns {Latent | null}  null: `to` has no code of that image
 */
export function sameImage(from, to, latent) {
  const image = nearestImage(from, latent);
  return image >= 0 && image < to.codes.count ? codeOf(/** @type {Atlas} */ (to), image) : null;
}

/**
 * Return the latent with the same u and v in the other plane, clamped to that plane's extent.
 *
 * @param {Pick<Atlas, 'plane'>} from
 * @param {Pick<Atlas, 'plane'>} to
 * @param {Latent} latent
 * @param {Latent} current  the other map's point; its distance from its plane stays
 * @returns {Latent}
 */
export const sameCoordinates = (from, to, latent, current) =>
  movedTo(to.plane, current, clamp(extentOf(to.plane), footOf(from.plane, latent)));

/** The point under the eye while a map shows its whole. @type {(view: Pick<View, 'whole' | 'limits'>) => Offset} */
const middleOf = ({ whole, limits: { eye } }) => ({ u: planeU(whole, eye.x), v: planeV(whole, eye.y) });

/** @type {(view: Pick<View, 'whole' | 'limits'>, framing: Framing | null) => Framing} */
const framed = (view, framing) => framing ?? { ...middleOf(view), zoom: 1 };

/**
 * Return what a map shows, relative to its whole. The inverse of `framingFor`.
 *
 * @param {Pick<View, 'whole' | 'limits'>} view
 * @param {Framing | null} framing
 * @param {Offset} offset  by which this map alone has moved; it is subtracted
 * @returns {RelativeView}
 */
export function relativeViewOf(view, framing, offset) {
  const middle = middleOf(view);
  const { u, v, zoom } = framed(view, framing);
  return { x: (u - offset.u - middle.u) * view.whole.scale, y: (v - offset.v - middle.v) * view.whole.scale, zoom };
}

/**
 * Return the framing with which a map shows a relative view.
 *
 * @param {Pick<View, 'whole' | 'limits'>} view
 * @param {RelativeView} relativeView
 * @param {Offset} offset
 * @returns {Framing}
 */
export function framingFor(view, { x, y, zoom }, offset) {
  const { u, v } = middleOf(view);
  return { u: u + offset.u + x / view.whole.scale, v: v + offset.v + y / view.whole.scale, zoom };
}

/**
 * Return how far a map has moved on its own, to keep its point visible.
 *
 * @param {Pick<View, 'whole' | 'limits'>} view
 * @param {RelativeView} relativeView  what it would show otherwise
 * @param {Framing | null} framing  what it shows
 * @returns {Offset}
 */
export function offsetOf(view, relativeView, framing) {
  const expected = framingFor(view, relativeView, { u: 0, v: 0 });
  const { u, v } = framed(view, framing);
  return { u: u - expected.u, v: v - expected.v };
}

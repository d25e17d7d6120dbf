/**
 * Where the point and the camera of one map stand in another. Pure mathematics, no DOM.
 *
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../api.js').Codes} Codes
 * @typedef {import('../map/camera.js').Framing} Framing
 * @typedef {import('../latent/plane.js').Latent} Latent
 * @typedef {import('../store.js').View} View
 *
 * @typedef {{u: number, v: number}} Offset  latent units
 *
 * @typedef {object} Sight  what two maps show alike, each of its own whole
 * @property {number} x  from the middle of the whole, CSS pixels of the whole
 * @property {number} y  upwards
 * @property {number} zoom
 */
import { codeOf } from '../latent/atlas.js';
import { clamp, planeU, planeV } from '../map/camera.js';
import { createNearest } from '../latent/nearest.js';
import { footOf, movedTo } from '../latent/plane.js';
import { extentOf } from '../map/tile-grid.js';

/** @type {WeakMap<Codes, ReturnType<typeof createNearest>>} */
const searches = new WeakMap();

/**
 * The test image whose code is nearest to a latent, in all its dimensions.
 *
 * @param {Pick<Atlas, 'codes'>} atlas
 * @param {Latent} latent
 * @returns {number}  its index; -1 if there is none
 */
export function nearestImage({ codes }, latent) {
  const search = searches.get(codes) ?? createNearest(codes, 1);
  searches.set(codes, search);
  return search(latent).index;
}

/**
 * By image: the other model's code of the test image that is nearest here.
 *
 * @param {Pick<Atlas, 'codes'>} from
 * @param {Pick<Atlas, 'codes'>} to  of the same images
 * @param {Latent} latent
 * @returns {Latent | null}  null: the other has no such image
 */
export function sameImage(from, to, latent) {
  const image = nearestImage(from, latent);
  return image >= 0 && image < to.codes.count ? codeOf(/** @type {Atlas} */ (to), image) : null;
}

/**
 * By coordinates: the same u and v in the other plane, or the nearest there are images for.
 *
 * @param {Pick<Atlas, 'plane'>} from
 * @param {Pick<Atlas, 'plane'>} to
 * @param {Latent} latent
 * @param {Latent} there  where the other point is: its height over its plane stays
 * @returns {Latent}
 */
export const sameCoordinates = (from, to, latent, there) =>
  movedTo(to.plane, there, clamp(extentOf(to.plane), footOf(from.plane, latent)));

/** What is under the eye while a map shows its whole. @type {(view: Pick<View, 'whole' | 'limits'>) => Offset} */
const middleOf = ({ whole, limits: { eye } }) => ({ u: planeU(whole, eye.x), v: planeV(whole, eye.y) });

/** @type {(view: Pick<View, 'whole' | 'limits'>, framing: Framing | null) => Framing} */
const framed = (view, framing) => framing ?? { ...middleOf(view), zoom: 1 };

/**
 * What a map shows, so that another can show it too.
 *
 * @param {Pick<View, 'whole' | 'limits'>} view
 * @param {Framing | null} framing
 * @param {Offset} offset  that is this map's alone
 * @returns {Sight}
 */
export function sightOf(view, framing, offset) {
  const middle = middleOf(view);
  const { u, v, zoom } = framed(view, framing);
  return { x: (u - offset.u - middle.u) * view.whole.scale, y: (v - offset.v - middle.v) * view.whole.scale, zoom };
}

/**
 * The other way.
 *
 * @param {Pick<View, 'whole' | 'limits'>} view
 * @param {Sight} sight
 * @param {Offset} offset
 * @returns {Framing}
 */
export function framingFor(view, { x, y, zoom }, offset) {
  const { u, v } = middleOf(view);
  return { u: u + offset.u + x / view.whole.scale, v: v + offset.v + y / view.whole.scale, zoom };
}

/**
 * How far a map went by itself, after its own point.
 *
 * @param {Pick<View, 'whole' | 'limits'>} view
 * @param {Sight} sight  what it would show
 * @param {Framing | null} framing  what it shows
 * @returns {Offset}
 */
export function offsetOf(view, sight, framing) {
  const expected = framingFor(view, sight, { u: 0, v: 0 });
  const { u, v } = framed(view, framing);
  return { u: u - expected.u, v: v - expected.v };
}

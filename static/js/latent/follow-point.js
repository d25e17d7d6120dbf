/**
 * In more than two dimensions the map follows the point: it shows the plane through the point that is parallel to the
 * chosen plane. A drag stays in that plane; sliders, paths and encoded images lead out of it.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { MIN_HEIGHT, heightOf, sliceThrough } from './plane.js';

/** The plane changes at most this often, or the map would never have its tiles. */
const EVERY_MILLISECONDS = 200;

/**
 * @param {HTMLElement} _root
 * @param {Store} store
 */
export function mount(_root, store) {
  let timer = 0;

  function follow() {
    timer = 0;
    const { atlas, latent } = store.get();
    if (!atlas || latent?.length !== atlas.card.latent_dim) return;
    if (heightOf(atlas.plane, latent) < MIN_HEIGHT) return;
    store.set({ atlas: { ...atlas, plane: sliceThrough(atlas.base, latent) } });
  }

  const unwatch = store.watch(['latent', 'atlas'], ({ atlas, latent }) => {
    if (!atlas || !latent || latent.length < 3 || latent.length !== atlas.card.latent_dim) return;
    if (heightOf(atlas.plane, latent) >= MIN_HEIGHT) timer ||= setTimeout(follow, EVERY_MILLISECONDS);
  });
  return () => {
    clearTimeout(timer);
    unwatch();
  };
}

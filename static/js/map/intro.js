/**
 * Moves the ring along the idle tour until the visitor touches it or moves the map, so that the first screen explains
 * itself. It rests with reduced motion, after a link to a point, and once each image costs a request of its own.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { latentAt } from '../latent/plane.js';
import { prefersStillness } from '../lib/theme.js';
import { roundTrip, tourAt } from './idle-tour.js';

/**
 * @param {HTMLElement} _root
 * @param {Store} store
 */
export function mount(_root, store) {
  let frame = 0;
  let startedAt = 0;
  /** @type {import('../latent/box.js').Point[]} */
  let places = [];

  /** @param {number} time */
  function step(time) {
    const { atlas, touched, framing, playing, connection } = store.get();
    if (touched || framing || playing || connection === 'http' || !atlas) return;
    frame = requestAnimationFrame(step);
    startedAt ||= time;
    store.set({ latent: latentAt(atlas.plane, tourAt(places, time - startedAt)), movedAt: 0 });
  }

  const unwatch = store.watch(['atlas'], ({ atlas, touched, framing }) => {
    cancelAnimationFrame(frame);
    if (!atlas || touched || framing || prefersStillness() || atlas.landmarks.length < 3) return;
    places = roundTrip(atlas.landmarks.map(({ point }) => point));
    startedAt = 0;
    frame = requestAnimationFrame(step);
  });
  return () => {
    cancelAnimationFrame(frame);
    unwatch();
  };
}

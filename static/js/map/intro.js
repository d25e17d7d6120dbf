/**
 * Moves the ring along the idle tour, once around, so that the first screen explains itself. The tour starts once the
 * map has been there for a while, and ends for good when the visitor touches the ring, moves the map, opens another tab
 * or presses Escape, or when images stop coming by the stream. There is none with reduced motion, nor after a link to a
 * point.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { latentAt } from '../latent/plane.js';
import { prefersStillness } from '../lib/theme.js';
import { TOUR_MILLISECONDS, roundTrip, tourAt } from './idle-tour.js';

/** How long the map has been there when the tour starts. */
const WAIT_MILLISECONDS = 5000;

/**
 * @param {HTMLElement} _root
 * @param {Store} store
 */
export function mount(_root, store) {
  let timer = 0;
  let frame = 0;
  let startedAt = 0;
  let isOver = false;
  /** @type {import('../latent/box.js').Point[]} */
  let places = [];

  function isDisturbed() {
    const { touched, framing, playing, panel, connection } = store.get();
    const isStreaming = connection === 'connecting' || connection === 'open';
    return touched || framing !== null || playing || panel !== 'point' || !isStreaming;
  }

  /** @param {number} time */
  function step(time) {
    const { atlas } = store.get();
    if (!atlas) return;
    if (isDisturbed()) return end();
    startedAt ||= time;
    const elapsed = Math.min(time - startedAt, TOUR_MILLISECONDS);
    store.set({ latent: latentAt(atlas.plane, tourAt(places, elapsed)), movedAt: 0 });
    if (elapsed === TOUR_MILLISECONDS) end();
    else frame = requestAnimationFrame(step);
  }

  function end() {
    isOver = true;
    halt();
  }

  function halt() {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
  }

  function start() {
    startedAt = 0;
    frame = requestAnimationFrame(step);
  }

  /** @param {KeyboardEvent} event */
  const key = (event) => event.key === 'Escape' && end();

  document.addEventListener('keydown', key);
  const unwatch = store.watch(['atlas', 'isMapDrawn'], ({ atlas, isMapDrawn }) => {
    halt();
    if (!atlas || !isMapDrawn || isOver || prefersStillness() || atlas.landmarks.length < 3) return;
    places = roundTrip(atlas.landmarks.map(({ point }) => point));
    timer = setTimeout(start, WAIT_MILLISECONDS);
  });
  return () => {
    halt();
    document.removeEventListener('keydown', key);
    unwatch();
  };
}

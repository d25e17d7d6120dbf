/**
 * Where the ring rests, so that no text lies under it. While it moves, the texts stay where they are.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('./camera.js').Rect} Rect
 */
import { find, findAll } from '../lib/dom.js';
import { placeOn } from './covers.js';

const REST_MILLISECONDS = 250;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {() => void} onRest
 */
export function createRingAtRest(root, store, onRest) {
  const map = find(root, '.map', HTMLElement);
  const parts = findAll(find(root, '.ring', HTMLElement), '.lens, .hint', HTMLElement);
  let timer = 0;
  /** @type {readonly Rect[]} */
  let rects = [];

  function rest() {
    rects = parts.filter((part) => part.offsetParent !== null).map((part) => placeOn(map, part));
    onRest();
  }

  const unwatch = store.watch(['latent', 'view', 'touched', 'panel'], () => {
    clearTimeout(timer);
    timer = setTimeout(rest, REST_MILLISECONDS);
  });
  return {
    /** The rectangles of the ring and of what belongs to it, CSS pixels of the map. */
    obstacles: () => rects,

    stop() {
      clearTimeout(timer);
      unwatch();
    },
  };
}

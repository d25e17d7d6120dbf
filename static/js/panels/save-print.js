/**
 * What a printer gets instead of the page: the map as one picture, with the model's title and the link to the view.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { find } from '../lib/dom.js';

/** Pixels of the picture per CSS pixel. */
const DENSITY = 2;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {(density: number) => HTMLCanvasElement | null} pictureAt
 * @param {() => boolean} isDark  whether the picture's ground is dark; paper is light
 */
export function mount(root, store, pictureAt, isDark) {
  const sheet = find(root, '#print', HTMLElement);
  const place = find(sheet, '[data-part="picture"]', HTMLElement);

  function fill() {
    const picture = pictureAt(DENSITY);
    const { shown } = store.get();
    if (!picture || !shown) return;
    find(sheet, 'h2', HTMLElement).textContent = shown.title;
    find(sheet, '[data-part="link"]', HTMLElement).textContent = location.href;
    place.toggleAttribute('data-dark', isDark());
    place.replaceChildren(picture);
    root.toggleAttribute('data-printed', true);
  }

  function empty() {
    place.replaceChildren();
    root.toggleAttribute('data-printed', false);
  }

  addEventListener('beforeprint', fill);
  addEventListener('afterprint', empty);
  return () => {
    removeEventListener('beforeprint', fill);
    removeEventListener('afterprint', empty);
  };
}

/**
 * Lets the stylesheet follow the shape of the shown model's images: their proportions, and whether they are in colour.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { isColour } from '../lib/image-shape.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  return store.watch(['shown'], ({ shown }) => {
    if (!shown) return;
    root.dataset.images = isColour(shown.image) ? 'colour' : 'grey';
    root.style.setProperty('--image-ratio', `${shown.image.width / shown.image.height}`);
  });
}

/**
 * Says that a link holds something that this page does not know; the rest of it holds.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { find } from '../lib/dom.js';
import { list } from '../latent/describe-point.js';

/** Of what was strange, so that nobody can fill the page through a link. */
const MOST_LETTERS = 40;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const remark = find(root, '#remark', HTMLElement);
  const text = find(remark, 'p', HTMLElement);
  const close = find(remark, 'button', HTMLButtonElement);
  const clear = () => store.set({ strange: [] });
  close.addEventListener('click', clear);
  const unwatch = store.watch(['strange'], ({ strange }) => {
    remark.hidden = strange.length === 0;
    const words = strange.map((part) => (part.length > MOST_LETTERS ? `${part.slice(0, MOST_LETTERS)} …` : part));
    text.textContent = `This link holds something that the page does not know, ${list(words)}. The rest holds.`;
  });
  return () => {
    close.removeEventListener('click', clear);
    unwatch();
  };
}

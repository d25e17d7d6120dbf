/**
 * Says that a link holds something that this page does not know; the rest of it holds.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { find } from '../lib/dom.js';
import { joinWords } from '../latent/describe-point.js';

/** Of what was unknownParts, so that nobody can fill the page through a link. */
const MAX_LETTERS = 40;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const remark = find(root, '#link-warning', HTMLElement);
  const text = find(remark, 'p', HTMLElement);
  const close = find(remark, 'button', HTMLButtonElement);
  const clear = () => store.set({ unknownParts: [] });
  close.addEventListener('click', clear);
  const unwatch = store.watch(['unknownParts'], ({ unknownParts }) => {
    remark.hidden = unknownParts.length === 0;
    const words = unknownParts.map((part) => (part.length > MAX_LETTERS ? `${part.slice(0, MAX_LETTERS)} …` : part));
    text.textContent = `This link holds something that the page does not know, ${joinWords(words)}. The rest holds.`;
  });
  return () => {
    close.removeEventListener('click', clear);
    unwatch();
  };
}

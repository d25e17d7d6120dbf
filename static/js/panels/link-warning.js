/**
 * Warns of parts of a link that the page does not know. The rest of the link applies.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { joinWords } from '../latent/describe-point.js';
import { find, hide } from '../lib/dom.js';

/** The longest part that is shown in full, so that a link cannot fill the page. */
const MAX_LETTERS = 40;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const warning = find(root, '#link-warning', HTMLElement);
  const text = find(warning, 'p', HTMLElement);
  const chooser = find(root, '#choose-model', HTMLElement);
  const close = find(warning, 'button', HTMLButtonElement);
  const clear = () => store.set({ unknownParts: [] });
  close.addEventListener('click', clear);
  const unwatch = store.watch(['unknownParts'], ({ unknownParts }) => {
    if (unknownParts.length === 0) return hide(warning, chooser);
    warning.hidden = false;
    const parts = unknownParts.map((part) => (part.length > MAX_LETTERS ? `${part.slice(0, MAX_LETTERS)} …` : part));
    text.textContent = `This link holds something that the page does not know, ${joinWords(parts)}. The rest holds.`;
  });
  return () => {
    close.removeEventListener('click', clear);
    unwatch();
  };
}

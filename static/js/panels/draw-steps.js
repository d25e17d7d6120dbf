/**
 * The steps in which the visitor's image was prepared: a row of small pictures, and the sentence of the chosen one.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { copyOf, find, findAll } from '../lib/dom.js';
import { dataUrl } from '../lib/pixels.js';

/** The step whose sentence is shown first: it says what of the image was left out. */
const FIRST = 'alone';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const list = find(root, '#steps', HTMLElement);
  const name = find(root, '#step-shown b', HTMLElement);
  const sentence = find(root, '#step-shown span', HTMLElement);
  let chosen = '';

  function show() {
    const steps = store.get().posterior?.steps ?? [];
    while (list.children.length > steps.length) list.lastElementChild?.remove();
    while (list.children.length < steps.length) list.append(copyOf(root, '#step', HTMLLIElement));
    const shown = [chosen, FIRST].map((wanted) => steps.find((step) => step.name === wanted)).find(Boolean) ?? steps.at(-1);
    findAll(list, 'button', HTMLButtonElement).forEach((button, i) => {
      const step = steps[i];
      button.dataset.step = step.name;
      button.title = button.ariaLabel = `${capitalized(step.name)}: ${step.detail}`;
      button.ariaPressed = `${step === shown}`;
      find(button, 'img', HTMLImageElement).src = dataUrl(step.image);
    });
    name.textContent = shown ? capitalized(shown.name) : '';
    sentence.textContent = shown?.detail ?? '';
  }

  /** @param {Event} event */
  function choose({ target }) {
    const button = target instanceof Element ? target.closest('button') : null;
    if (!button) return;
    chosen = button.dataset.step ?? '';
    show();
  }

  list.addEventListener('click', choose);
  const unwatch = store.watch(['posterior'], show);
  return () => {
    list.removeEventListener('click', choose);
    unwatch();
  };
}

/** @type {(word: string) => string} */
const capitalized = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/**
 * How much noise goes onto an image before it is encoded. Every model may try: what one that has learned to remove
 * it does better shows beside one that has not, so the next to try stand below the slider.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { copyOf, find, findAll } from '../lib/dom.js';
import { shortId } from '../latent/model-groups.js';

/** Models that learned to remove noise, and one of the same size that did not. */
const RIVALS = ['mnist-denoising-ae-20d', 'mnist-stacked-denoising-ae-2d', 'mnist-vae-20d'];
/** A slider says more than a server can follow. */
const REST_MILLISECONDS = 60;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const slider = find(root, '#noise', HTMLInputElement);
  const shown = find(root, '#noise-shown', HTMLElement);
  const rivals = find(root, '#noise-rivals', HTMLElement);
  let timer = 0;

  const slide = () => {
    shown.textContent = printed(slider.valueAsNumber);
    clearTimeout(timer);
    timer = setTimeout(() => store.set({ noise: slider.valueAsNumber }), REST_MILLISECONDS);
  };
  /** @param {Event} event */
  function choose({ target }) {
    const model = target instanceof HTMLElement ? target.dataset.model : undefined;
    if (model) store.set({ model, playing: false });
  }
  slider.addEventListener('input', slide);
  rivals.addEventListener('click', choose);
  const ends = [
    store.watch(['noise'], ({ noise }) => {
      slider.valueAsNumber = noise;
      shown.textContent = printed(noise);
    }),
    store.watch(['models'], ({ models }) => {
      rivals.replaceChildren(...models.filter(({ id }) => RIVALS.includes(id)).map((card) => {
        const button = copyOf(root, '#noise-rival', HTMLButtonElement);
        button.dataset.model = card.id;
        button.title = card.title;
        button.textContent = shortId(card);
        return button;
      }));
    }),
    store.watch(['noise', 'model', 'models'], ({ noise, model }) => {
      rivals.hidden = noise === 0 || rivals.children.length < 2;
      for (const button of findAll(rivals, 'button', HTMLButtonElement)) {
        button.ariaPressed = `${button.dataset.model === model}`;
      }
    }),
  ];
  return () => {
    clearTimeout(timer);
    slider.removeEventListener('input', slide);
    rivals.removeEventListener('click', choose);
    ends.forEach((end) => end());
  };
}

/** @type {(noise: number) => string} */
const printed = (noise) => (noise ? `σ ${noise.toFixed(2)}` : 'none');

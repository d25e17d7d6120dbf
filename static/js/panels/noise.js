/**
 * The slider for the noise that is added to an image before it is encoded, and buttons for models to compare: some
 * have learned to remove noise, one of the same size has not.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { shortId } from '../latent/model-groups.js';
import { copyOf, find, findAll } from '../lib/dom.js';

/** Models that learned to remove noise, and one of the same size that did not. */
const MODELS = ['mnist-denoising-ae-20d', 'mnist-stacked-denoising-ae-2d', 'mnist-vae-20d'];
/** The image is encoded once the slider has rested this long. */
const REST_MILLISECONDS = 60;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const slider = find(root, '#noise', HTMLInputElement);
  const shown = find(root, '#noise-shown', HTMLElement);
  const buttons = find(root, '#noise-models', HTMLElement);
  let timer = 0;

  /** @param {number} noise */
  function show(noise) {
    shown.textContent = printed(noise);
    slider.setAttribute('aria-valuetext', printed(noise));
  }

  const slide = () => {
    show(slider.valueAsNumber);
    clearTimeout(timer);
    timer = setTimeout(() => store.set({ noise: slider.valueAsNumber }), REST_MILLISECONDS);
  };
  /** @param {Event} event */
  function choose({ target }) {
    const model = target instanceof HTMLElement ? target.dataset.model : undefined;
    if (model) store.set({ model, playing: false });
  }
  slider.addEventListener('input', slide);
  buttons.addEventListener('click', choose);
  const ends = [
    store.watch(['noise'], ({ noise }) => {
      slider.valueAsNumber = noise;
      show(noise);
    }),
    store.watch(['models'], ({ models }) => {
      buttons.replaceChildren(...models.filter(({ id }) => MODELS.includes(id)).map((card) => {
        const button = copyOf(root, '#noise-model', HTMLButtonElement);
        button.dataset.model = card.id;
        button.title = card.title;
        button.textContent = shortId(card);
        return button;
      }));
    }),
    store.watch(['noise', 'model', 'models'], ({ noise, model }) => {
      buttons.hidden = noise === 0 || buttons.children.length < 2;
      for (const button of findAll(buttons, 'button', HTMLButtonElement)) {
        button.ariaPressed = `${button.dataset.model === model}`;
      }
    }),
  ];
  return () => {
    clearTimeout(timer);
    slider.removeEventListener('input', slide);
    buttons.removeEventListener('click', choose);
    ends.forEach((end) => end());
  };
}

/** @type {(noise: number) => string} */
const printed = (noise) => (noise ? `σ ${noise.toFixed(2)}` : 'none');

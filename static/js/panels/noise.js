/**
 * The slider for the noise that is added to an image before it is encoded, and buttons for models to compare: some
 * have learned to remove noise, one of the same size has not.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { copyOf, find, findAll } from '../lib/dom.js';

/** The names of models that learned to remove noise, and of one that did not. @type {Readonly<Record<string, string>>} */
const NAMES = {
  'mnist-denoising-ae-20d': 'Denoising autoencoder',
  'mnist-stacked-denoising-ae-2d': 'Stacked, layer by layer',
  'mnist-vae-20d': 'VAE, never taught to',
};
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
  /** How far what each model made of the present noisy image is from the clean one. @type {Map<string, number>} */
  const errors = new Map();
  let errorsOf = '';
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
      buttons.replaceChildren(...models.filter(({ id }) => id in NAMES).map((card) => {
        const button = copyOf(root, '#noise-model', HTMLButtonElement);
        button.dataset.model = card.id;
        button.title = card.title;
        find(button, 'span', HTMLElement).textContent = NAMES[card.id];
        return button;
      }));
    }),
    store.watch(['posterior', 'noise', 'testImage', 'models'], ({ posterior, noise, testImage, shown }) => {
      const of = `${testImage} ${noise}`;
      if (of !== errorsOf || testImage === null) errors.clear();
      errorsOf = of;
      if (posterior?.denoised && shown) errors.set(shown.id, posterior.denoised.after);
      for (const button of findAll(buttons, 'button', HTMLButtonElement)) {
        const error = errors.get(button.dataset.model ?? '');
        find(button, 'small', HTMLElement).textContent = error === undefined ? '' : `error ${error.toFixed(3)}`;
      }
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

/**
 * An image of the visitor's own: drawn, dropped, pasted, chosen, or taken from the test images. It is encoded as
 * soon as it changes, with the noise that the visitor asks for, and once more when another model is shown.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { find } from '../lib/dom.js';
import { hasPlane } from '../latent/model-groups.js';
import { wordsFor } from '../latent/labels.js';
import { mount as mountDrawCanvas } from './draw-canvas.js';
import { createEncoder } from './draw-encode.js';
import { mount as mountElbo } from './elbo.js';
import { mount as mountNoise } from './noise.js';

/** The shipped test images of any data set, where a model's codes do not count them. */
const TEST_IMAGES = 10_000;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const panel = find(root, '#panel-draw', HTMLElement);
  const problem = find(panel, '#draw-problem', HTMLElement);
  const hint = find(panel, '#drawing-hint', HTMLElement);
  const file = find(panel, '#image-file', HTMLInputElement);
  const form = find(panel, '#test-image', HTMLFormElement);
  const index = find(form, 'input', HTMLInputElement);
  const random = find(form, '#random-image', HTMLButtonElement);
  const listeners = new AbortController();
  const encoder = createEncoder(store, api, (message) => {
    problem.textContent = message;
  });

  /** An image of the visitor's own; null: there is none any more. @type {(blob: Blob | null) => void} */
  function own(blob) {
    store.set({ testImage: null });
    encoder.encode(blob);
  }

  /** @type {(files: FileList | undefined | null) => void} */
  function take(files) {
    const blob = files?.[0];
    if (!blob) return;
    store.set({ panel: 'draw' });
    drawing.clear();
    own(blob);
  }

  /** @type {(testImage: number) => void} */
  function takeTestImage(testImage) {
    if (store.get().testImage === testImage) encoder.again();
    else store.set({ testImage });
  }

  const { signal } = listeners;
  const drawing = mountDrawCanvas(panel, own);
  file.addEventListener('change', () => {
    take(file.files);
    file.value = '';
  }, { signal });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!Number.isNaN(index.valueAsNumber)) takeTestImage(index.valueAsNumber);
  }, { signal });
  random.addEventListener('click', () => {
    takeTestImage(Math.floor(Math.random() * (Number(index.max) + 1)));
  }, { signal });
  document.addEventListener('dragover', (event) => event.preventDefault(), { signal });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    take(event.dataTransfer?.files);
  }, { signal });
  document.addEventListener('paste', (event) => take(event.clipboardData?.files), { signal });

  const ends = [
    store.watch(['shown'], ({ shown, atlas, testImage }) => {
      if (!shown) return;
      index.max = `${(atlas?.codes.count ?? TEST_IMAGES) - 1}`;
      hint.textContent = wordsFor(shown.dataset).hint;
      // With no map to look at, an image has to be there from the start.
      if (!hasPlane(shown) && testImage === null && !encoder.hasImage()) store.set({ testImage: 0 });
      else encoder.again();
    }),
    store.watch(['testImage'], ({ testImage }) => {
      if (testImage === null) return;
      index.valueAsNumber = testImage;
      drawing.clear();
      encoder.encode(testImage);
    }),
    store.watch(['noise'], () => encoder.again()),
    mountNoise(panel, store),
    mountElbo(panel, store),
    drawing.unmount,
    encoder.stop,
  ];
  return () => {
    listeners.abort();
    ends.forEach((end) => end());
  };
}

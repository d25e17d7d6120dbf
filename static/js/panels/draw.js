/**
 * The visitor's image: drawn, dropped, pasted, chosen as a file, or taken from the test images. It is encoded when it
 * changes, when the noise changes, and when another model is shown.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { labelsOf, wordsFor } from '../latent/labels.js';
import { hasPlane } from '../latent/model-groups.js';
import { find } from '../lib/dom.js';
import { whenBack } from '../stream/when-back.js';
import { mount as mountDrawCanvas } from './draw-canvas.js';
import { createEncoder } from './draw-encode.js';
import { mount as mountPhoto } from './draw-photo.js';
import { mount as mountSteps } from './draw-steps.js';
import { describeEncoded } from './draw-words.js';
import { mount as mountElbo } from './elbo.js';
import { mount as mountNoise } from './noise.js';

/** How many test images a data set has, for a model without codes. */
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
  /** Whether the visitor has asked for a test image and not heard of its encoding. */
  let isAsked = false;
  /** The visitor's own image, which comes back when the lessons are left. @type {'drawing' | Blob | null} */
  let own = null;
  const encoder = createEncoder(store, api, (message) => {
    problem.textContent = message;
  });

  /** Encode the visitor's own image; null: there is none any more. @type {(blob: Blob | null) => void} */
  function takeOwn(blob) {
    isAsked = false;
    photo.hide();
    store.set({ testImage: null });
    encoder.encode(blob);
  }

  /** @type {(files: FileList | undefined | null) => void} */
  function takeFile(files) {
    const blob = files?.[0];
    if (!blob) return;
    store.set({ panel: 'draw' });
    drawing.forget();
    showFile(blob);
  }

  /** @param {Blob} blob */
  function showFile(blob) {
    own = blob;
    drawing.clear();
    takeOwn(blob);
    photo.show(blob);
  }

  function showOwn() {
    if (own === 'drawing') drawing.restore();
    else if (own) showFile(own);
    else showAlone(null);
  }

  /** Encode an image that is not the visitor's own, or none. @type {(testImage: number | null) => void} */
  function showAlone(testImage) {
    drawing.clear();
    photo.hide();
    encoder.encode(testImage);
  }

  /** @type {(testImage: number) => void} */
  function takeTestImage(testImage) {
    isAsked = true;
    if (store.get().testImage === testImage) encoder.again();
    else store.set({ testImage });
  }

  const { signal } = listeners;
  const drawing = mountDrawCanvas(panel, (blob) => {
    own = blob && 'drawing';
    takeOwn(blob);
  });
  const photo = mountPhoto(panel, store, encoder.adjust);
  file.addEventListener('change', () => {
    takeFile(file.files);
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
    takeFile(event.dataTransfer?.files);
  }, { signal });
  document.addEventListener('paste', (event) => takeFile(event.clipboardData?.files), { signal });

  if (drawing.hasKept()) own = 'drawing';
  const ends = [
    store.watch(['shown'], ({ shown, atlas, testImage, lesson }) => {
      if (!shown) return;
      index.max = `${(atlas?.codes.count ?? TEST_IMAGES) - 1}`;
      hint.textContent = wordsFor(shown.dataset).hint;
      // Without a map there is nothing else to see, so take the first test image.
      const isEmpty = testImage === null && !encoder.hasImage() && (lesson || !own);
      if (!hasPlane(shown) && isEmpty) store.set({ testImage: 0 });
      else encoder.again();
    }),
    store.watch(['testImage'], ({ testImage, lesson }) => {
      if (testImage === null) return;
      if (!lesson) {
        own = null;
        drawing.forget();
      }
      index.valueAsNumber = testImage;
      showAlone(testImage);
    }),
    store.watch(['lesson'], ({ lesson, testImage }) => {
      if (testImage !== null) return;
      if (lesson) showAlone(null);
      else showOwn();
    }),
    store.watch(['noise'], () => encoder.again()),
    store.watch(['posterior'], ({ posterior, testImage, atlas }) => {
      if (!isAsked || !posterior || testImage === null) return;
      isAsked = false;
      const label = atlas ? labelsOf(atlas.card.dataset).at(atlas.codes.labels[testImage])?.one : undefined;
      store.set({ announcement: describeEncoded(testImage, label, posterior) });
    }),
    whenBack(store, () => problem.textContent && encoder.again()),
    store.watch(['panel'], ({ panel: open }) => {
      if (open !== 'draw') problem.textContent = '';
    }),
    mountNoise(panel, store),
    mountElbo(panel, store),
    mountSteps(panel, store),
    drawing.unmount,
    photo.unmount,
    encoder.stop,
  ];
  return () => {
    listeners.abort();
    ends.forEach((end) => end());
  };
}

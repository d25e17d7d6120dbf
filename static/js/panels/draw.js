/**
 * An image of the visitor's own: drawn, dropped, pasted, chosen, or taken from the test images. It is encoded as
 * soon as it changes, and once more when another model is chosen.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { Refusal } from '../api.js';
import { find } from '../elements.js';
import { mount as mountDrawing } from './drawing.js';
import { mount as mountLedger } from './ledger.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const panel = find(root, '#panel-draw', HTMLElement);
  const problem = find(panel, '#draw-problem', HTMLElement);
  const file = find(panel, '#image-file', HTMLInputElement);
  const form = find(panel, '#test-image', HTMLFormElement);
  const index = find(form, 'input', HTMLInputElement);
  const random = find(form, '#random-image', HTMLButtonElement);
  const listeners = new AbortController();
  /** @type {Blob | null} */
  let image = null;
  let request = new AbortController();

  /** @type {(blob: Blob | null) => Promise<void>} */
  async function encode(blob) {
    image = blob;
    request.abort();
    request = new AbortController();
    problem.textContent = '';
    const { atlas } = store.get();
    if (!blob || !atlas) return store.set({ posterior: null });
    store.set({ touched: true });
    try {
      store.set({ posterior: await api.encode(atlas.card.id, blob, request.signal) });
    } catch (error) {
      tell(error);
    }
  }

  /** @param {unknown} error */
  function tell(error) {
    if (!(error instanceof Refusal)) return; // aborted: a newer image is on its way
    store.set({ posterior: null });
    problem.textContent = error.message;
  }

  /** @type {(files: FileList | undefined | null) => void} */
  function take(files) {
    const blob = files?.[0];
    if (!blob) return;
    store.set({ panel: 'draw' });
    clearDrawing();
    void encode(blob);
  }

  async function takeTestImage() {
    const { atlas } = store.get();
    if (!atlas) return;
    clearDrawing();
    try {
      await encode(await api.testImage(atlas.card.dataset, index.valueAsNumber));
    } catch (error) {
      tell(error);
    }
  }

  const { signal } = listeners;
  const { clear: clearDrawing, unmount: unmountDrawing } = mountDrawing(panel, encode);
  file.addEventListener('change', () => {
    take(file.files);
    file.value = '';
  }, { signal });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void takeTestImage();
  }, { signal });
  random.addEventListener('click', () => {
    const { atlas } = store.get();
    if (!atlas) return;
    index.valueAsNumber = Math.floor(Math.random() * atlas.codes.count);
    void takeTestImage();
  }, { signal });
  document.addEventListener('dragover', (event) => event.preventDefault(), { signal });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    take(event.dataTransfer?.files);
  }, { signal });
  document.addEventListener('paste', (event) => take(event.clipboardData?.files), { signal });

  const ends = [
    store.watch(['atlas'], ({ atlas }) => {
      if (atlas) index.max = `${atlas.codes.count - 1}`;
      if (image) void encode(image);
    }),
    mountLedger(panel, store),
    unmountDrawing,
  ];
  return () => {
    request.abort();
    listeners.abort();
    ends.forEach((end) => end());
  };
}

/**
 * The labels with their colours, and the scale of the map. The first press colours one label alone; more presses add
 * others.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { hasWords, labelsOf } from '../latent/labels.js';
import { find, findAll } from '../lib/dom.js';
import { roundLength } from '../lib/round-numbers.js';

/** The largest width of the scale bar, CSS pixels. */
const SCALE_PIXELS = 140;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const legend = find(root, '#legend', HTMLElement);
  const group = find(legend, '.keys', HTMLElement);
  const keys = findAll(legend, 'button[data-digit]', HTMLButtonElement);
  const all = find(legend, '#all-digits', HTMLButtonElement);
  const bar = find(legend, '#scale i', HTMLElement);
  const length = find(legend, '#scale span', HTMLElement);
  const listeners = new AbortController();
  const { signal } = listeners;

  for (const key of keys) {
    const bit = 1 << Number(key.dataset.digit);
    key.addEventListener('click', () => store.set({ digits: store.get().digits ^ bit }), { signal });
  }
  all.addEventListener('click', () => store.set({ digits: 0 }), { signal });

  const ends = [
    store.watch(['digits'], ({ digits }) => {
      for (const key of keys) key.ariaPressed = `${Boolean(digits & (1 << Number(key.dataset.digit)))}`;
      legend.classList.toggle('filtered', digits !== 0);
      all.ariaDisabled = `${digits === 0}`;
    }),
    store.watch(['atlas'], ({ atlas }) => {
      const dataset = atlas?.card.dataset;
      legend.classList.toggle('words', hasWords(dataset));
      group.hidden = labelsOf(dataset).length < 2;
      for (const key of keys) {
        const label = labelsOf(dataset).at(Number(key.dataset.digit));
        key.textContent = label?.name ?? '';
        key.hidden = !label;
      }
    }),
    store.watch(['view', 'atlas'], ({ view, atlas }) => {
      if (!view || !atlas) return;
      const units = roundLength(SCALE_PIXELS / view.camera.scale);
      const latent = units === 1 ? 'latent unit' : 'latent units';
      bar.style.width = `${units * view.camera.scale}px`;
      length.textContent = `${+units.toPrecision(1)} ${atlas.card.family === 'vae' ? 'σ of the prior' : latent}`;
    }),
  ];
  return () => {
    listeners.abort();
    ends.forEach((end) => end());
  };
}

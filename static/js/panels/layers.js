/**
 * The layers of the map, each with a switch, its opacity and its meaning.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { hasLabels } from '../latent/atlas.js';
import { copyOf, find, write } from '../lib/dom.js';
import { watchTheme } from '../lib/theme.js';
import { LAYERS, LAYER_IDS, LAYER_TEXTS, changed } from '../map-layers.js';
import { formatShort, rampOf } from '../map/field-colours.js';

/** @type {(id: import('../map-layers.js').LayerId) => id is 'density' | 'magnification' | 'entropy'} */
const isRamp = (id) => id === 'density' || id === 'magnification' || id === 'entropy';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const sheet = find(root, '#layers', HTMLElement);
  const list = find(sheet, 'ul', HTMLElement);
  const reset = find(sheet, '#reset-layers', HTMLButtonElement);
  const listeners = new AbortController();
  const { signal } = listeners;

  const rows = LAYER_IDS.map((id) => {
    const row = copyOf(sheet, 'template', HTMLElement);
    const toggle = find(row, '[role="switch"]', HTMLInputElement);
    const range = find(row, '[type="range"]', HTMLInputElement);
    const about = find(row, '[data-part="about"]', HTMLElement);
    row.dataset.layer = id;
    find(row, '[data-part="title"]', HTMLElement).textContent = LAYER_TEXTS[id].title;
    about.textContent = LAYER_TEXTS[id].about;
    about.id = `about-${id}`;
    toggle.setAttribute('aria-describedby', about.id);
    range.setAttribute('aria-label', `Opacity: ${LAYER_TEXTS[id].title}`);
    /** @type {(change: Partial<import('../map-layers.js').Layer>) => void} */
    const change = (part) => store.set({ layers: changed(store.get().layers, id, part) });
    toggle.addEventListener('change', () => change({ isOn: toggle.checked }), { signal });
    range.addEventListener('input', () => change({ opacity: range.valueAsNumber / 100 }), { signal });
    list.append(row);
    return { id, row, toggle, range };
  });
  reset.addEventListener('click', () => store.set({ layers: LAYERS }), { signal });

  const ends = [
    store.watch(['layers'], ({ layers }) => {
      for (const { id, row, toggle, range } of rows) {
        const { isOn, opacity } = layers[id];
        toggle.checked = isOn;
        range.disabled = !isOn;
        range.valueAsNumber = 100 * opacity;
        row.classList.toggle('off', !isOn);
      }
      reset.ariaDisabled = `${LAYER_IDS.every((id) => layers[id] === LAYERS[id])}`;
    }),
    watchTheme(({ isDark }) => {
      for (const { id, row } of rows) {
        if (!isRamp(id)) continue;
        find(row, 'i', HTMLElement).style.background = `linear-gradient(to right, ${rampOf(id, isDark).join(',')})`;
      }
    }),
    store.watch(['readings', 'layers'], ({ readings, layers }) => {
      for (const { id, row } of rows) {
        const reading = isRamp(id) && layers[id].isOn ? readings[id] : undefined;
        find(row, '.ramp', HTMLElement).hidden = !reading;
        if (!reading) continue;
        write(find(row, '[data-part="low"]', HTMLElement), formatShort(reading.low));
        write(find(row, '[data-part="high"]', HTMLElement), `${formatShort(reading.high)} ${reading.unit}`);
      }
    }),
    store.watch(['computing', 'layers'], ({ computing, layers }) => {
      for (const { id, row } of rows) {
        find(row, '[data-part="computing"]', HTMLElement).hidden = !(layers[id].isOn && computing.includes(id));
      }
    }),
    store.watch(['atlas'], ({ atlas }) => {
      for (const { id, row } of rows) {
        const isForVaes = id === 'prior';
        const isForLabels = id === 'label' || id === 'names';
        row.hidden = atlas !== null && ((isForVaes && atlas.card.family !== 'vae') || (isForLabels && !hasLabels(atlas)));
      }
    }),
  ];
  return () => {
    listeners.abort();
    list.replaceChildren();
    ends.forEach((end) => end());
  };
}

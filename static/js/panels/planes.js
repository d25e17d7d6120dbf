/**
 * The choice of the plane that the map shows of a latent space with more than two dimensions: two principal axes, two
 * numbers, from one label to another, or through points that the visitor chose.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/plane.js').Latent} Latent
 */
import { labelsOf } from '../latent/labels.js';
import { planeIdOf, planeThrough } from '../latent/plane.js';
import { find } from '../lib/dom.js';

const MAX_PINS = 3;
/** The first choice of each kind of plane. @type {Readonly<Record<string, readonly [number, number]>>} */
const FIRST = { pca: [0, 1], dims: [0, 1], digits: [3, 8] };

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const panel = find(root, '#planes', HTMLElement);
  const kind = find(panel, '#plane-kind', HTMLSelectElement);
  const pair = find(panel, '#plane-pair', HTMLElement);
  const selects = [find(panel, '#plane-a', HTMLSelectElement), find(panel, '#plane-b', HTMLSelectElement)];
  const through = find(panel, '#plane-pins', HTMLElement);
  const images = find(through, '.pins', HTMLElement);
  const add = find(through, '#add-pin', HTMLButtonElement);
  const clear = find(through, '#clear-pins', HTMLButtonElement);
  const listeners = new AbortController();
  /** @type {readonly Latent[]} */
  let pins = [];

  /** @type {(family: string) => readonly string[]} */
  function namesFor(family) {
    const { atlas } = store.get();
    if (!atlas) return [];
    if (family === 'digits') return labelsOf(atlas.card.dataset).map(({ name }) => name);
    const sign = family === 'pca' ? 'axis ' : 'z';
    return Array.from({ length: atlas.card.latent_dim }, (_, i) => `${sign}${i + 1}`);
  }

  /** @type {(family: string, chosen: readonly number[]) => void} */
  function fill(family, chosen) {
    pair.hidden = family === 'at';
    through.hidden = !pair.hidden;
    if (pair.hidden) return;
    const names = namesFor(family);
    selects.forEach((select, side) => {
      select.replaceChildren(...names.map((name, i) => new Option(name, `${i}`, false, i === chosen[side])));
    });
  }

  /** @param {number} side  of the select that was changed */
  function choose(side) {
    const chosen = selects.map((select) => Number(select.value));
    const count = selects[0].options.length;
    if (chosen[0] === chosen[1]) chosen[1 - side] = (chosen[side] + 1) % count;
    store.set({ plane: `${kind.value}-${chosen[0]}-${chosen[1]}` });
  }

  function pin() {
    const { latent, planes } = store.get();
    if (!latent || !planes.length) return;
    pins = [...pins.slice(pins.length === MAX_PINS ? 1 : 0), latent];
    showPins();
    store.set({ plane: planeIdOf(planeThrough(pins, planes[0].axes)) });
  }

  function showPins() {
    const { model } = store.get();
    images.replaceChildren(...pins.map((latent) => {
      const image = new Image();
      image.src = api.decodedUrl(model, latent);
      image.alt = '';
      return image;
    }));
    images.setAttribute('aria-label', `${pins.length} of ${MAX_PINS} images that the plane goes through`);
    clear.ariaDisabled = `${pins.length === 0}`;
  }

  function clearPins() {
    pins = [];
    showPins();
  }

  const { signal } = listeners;
  kind.addEventListener('change', () => {
    fill(kind.value, FIRST[kind.value] ?? []);
    if (kind.value === 'at') clearPins();
    else choose(0);
  }, { signal });
  selects.forEach((select, side) => select.addEventListener('change', () => choose(side), { signal }));
  add.addEventListener('click', pin, { signal });
  clear.addEventListener('click', clearPins, { signal });

  let model = '';
  const unwatch = store.watch(['atlas', 'plane'], ({ atlas, plane, planes }) => {
    panel.hidden = !atlas || atlas.card.latent_dim === 2;
    if (!atlas || panel.hidden) return;
    if (model !== atlas.card.id) clearPins();
    model = atlas.card.id;
    const [family, a, b] = (plane || planes[0]?.id || '').split('-');
    kind.value = family;
    fill(family, [Number(a), Number(b)]);
  });
  return () => {
    listeners.abort();
    unwatch();
  };
}

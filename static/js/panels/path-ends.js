/**
 * The ends and the kind of the path.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').Path} Path
 */
import { labelsOf } from '../latent/labels.js';
import { PATH_KINDS, labelOf, pathIn, typicalImage } from '../latent/path.js';
import { find, findAll } from '../lib/dom.js';

/** The value of the list for an end that is not a test image. */
const PLACE = 'place';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const kinds = find(root, '#path-kind', HTMLElement);
  const listeners = new AbortController();
  const { signal } = listeners;

  /** @param {Partial<Path>} patch */
  function change(patch) {
    const { atlas, path } = store.get();
    if (atlas) store.set({ path: { ...pathIn(atlas, path), ...patch }, playing: false });
  }

  const selects = (/** @type {const} */ (['start', 'end'])).map((side) => {
    const select = find(root, `#path-${side}`, HTMLSelectElement);
    const here = find(root, `#${side}-here`, HTMLButtonElement);
    select.addEventListener('change', () => {
      const { atlas } = store.get();
      if (atlas) change({ [side]: typicalImage(atlas, Number(select.value)) });
    }, { signal });
    here.addEventListener('click', () => {
      const { latent } = store.get();
      if (latent) change({ [side]: { latent } });
    }, { signal });
    return { side, select };
  });
  kinds.addEventListener('change', () => {
    const chosen = findAll(kinds, 'input', HTMLInputElement).find((input) => input.checked);
    const kind = PATH_KINDS.find((name) => name === chosen?.value);
    if (kind) change({ kind });
  }, { signal });

  const unwatch = store.watch(['path', 'atlas'], ({ path, atlas }) => {
    if (!atlas) return;
    const shown = pathIn(atlas, path);
    const labels = labelsOf(atlas.card.dataset);
    for (const { side, select } of selects) {
      for (const option of select.options) {
        if (option.value === PLACE) continue;
        const number = Number(option.value);
        const label = labels.at(number);
        option.text = label?.one ?? '';
        option.hidden = !label || !atlas.codes.labels.includes(number);
      }
      select.value = `${labelOf(atlas, shown[side]) ?? PLACE}`;
    }
    for (const input of findAll(kinds, 'input', HTMLInputElement)) input.checked = input.value === shown.kind;
  });
  return () => {
    listeners.abort();
    unwatch();
  };
}

/**
 * What stands in the map's place for a model without a plane: its code is a grid of codebook entries, numbers that
 * name and do not measure. It shows the visitor's image, the entries it is written with, and what is read from them.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { dataUrl } from '../lib/pixels.js';
import { find, findAll } from '../lib/dom.js';
import { hasPlane } from '../latent/model-groups.js';

/** Of the colour circle, between one entry and the next: the golden angle keeps near numbers apart. */
const TURN = 137.508;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const stage = find(root, '.stage', HTMLElement);
  const stand = find(root, '#codebook', HTMLElement);
  const input = find(stand, '[data-part="input"]', HTMLImageElement);
  const output = find(stand, '[data-part="output"]', HTMLImageElement);
  const table = find(stand, 'table', HTMLTableElement);
  const count = find(stand, '[data-part="count"]', HTMLElement);

  /** @param {readonly (readonly number[])[]} indices  of the codebook, row by row */
  function fill(indices) {
    table.tBodies[0].replaceChildren(
      ...indices.map((row) => {
        const line = document.createElement('tr');
        line.append(...row.map(cellOf));
        return line;
      }),
    );
    const all = indices.flat();
    count.textContent = `${new Set(all).size} different entries in ${all.length} places`;
  }

  /** Light up one entry wherever it is used. @param {Event} event */
  function light({ type, target }) {
    const cell = target instanceof Element ? target.closest('td') : null;
    const entry = type === 'pointerleave' ? undefined : cell?.dataset.entry;
    table.classList.toggle('lit', entry !== undefined);
    for (const other of findAll(table, 'td', HTMLElement)) {
      other.classList.toggle('same', other.dataset.entry === entry);
    }
  }

  table.addEventListener('pointerover', light);
  table.addEventListener('pointerleave', light);
  const ends = [
    store.watch(['shown'], ({ shown }) => {
      const isPlane = !shown || hasPlane(shown);
      root.dataset.plane = isPlane ? 'some' : 'none';
      stand.hidden = isPlane;
      stage.inert = !isPlane;
    }),
    store.watch(['posterior'], ({ posterior }) => {
      const indices = posterior?.indices;
      table.closest('.codebook-images')?.classList.toggle('blank', !indices);
      if (!posterior || !indices) return;
      input.src = dataUrl(posterior.input);
      output.src = dataUrl(posterior.reconstruction);
      fill(indices);
    }),
  ];
  return () => {
    table.removeEventListener('pointerover', light);
    table.removeEventListener('pointerleave', light);
    ends.forEach((end) => end());
  };
}

/** @param {number} index  of a codebook entry */
function cellOf(index) {
  const cell = document.createElement('td');
  cell.dataset.entry = `${index}`;
  cell.textContent = `${index}`;
  cell.style.setProperty('--hue', `${(index * TURN) % 360}`);
  return cell;
}

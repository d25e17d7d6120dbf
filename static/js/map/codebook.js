/**
 * Replaces the map for a model without a plane, whose code is a grid of codebook entries: shows the visitor's image,
 * the entries that encode it, and the image decoded from them.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { hasPlane } from '../latent/model-groups.js';
import { find, findAll } from '../lib/dom.js';
import { dataUrl } from '../lib/pixels.js';

/** The difference in hue between one entry and the next: the golden angle keeps close numbers apart. */
const HUE_STEP = 137.508;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const stage = find(root, '.stage', HTMLElement);
  const section = find(root, '#codebook', HTMLElement);
  const input = find(section, '[data-part="input"]', HTMLImageElement);
  const output = find(section, '[data-part="output"]', HTMLImageElement);
  const table = find(section, 'table', HTMLTableElement);
  const count = find(section, '[data-part="count"]', HTMLElement);

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

  /** Highlight one entry wherever it is used. @param {Event} event */
  function highlight({ type, target }) {
    const cell = target instanceof Element ? target.closest('td') : null;
    const entry = type === 'pointerleave' ? undefined : cell?.dataset.entry;
    table.classList.toggle('lit', entry !== undefined);
    for (const other of findAll(table, 'td', HTMLElement)) {
      other.classList.toggle('same', other.dataset.entry === entry);
    }
  }

  table.addEventListener('pointerover', highlight);
  table.addEventListener('pointerleave', highlight);
  const ends = [
    store.watch(['shown'], ({ shown }) => {
      const isPlane = !shown || hasPlane(shown);
      root.dataset.plane = isPlane ? 'some' : 'none';
      section.hidden = isPlane;
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
    table.removeEventListener('pointerover', highlight);
    table.removeEventListener('pointerleave', highlight);
    ends.forEach((end) => end());
  };
}

/** @param {number} index  of a codebook entry */
function cellOf(index) {
  const cell = document.createElement('td');
  cell.dataset.entry = `${index}`;
  cell.textContent = `${index}`;
  cell.style.setProperty('--hue', `${(index * HUE_STEP) % 360}`);
  return cell;
}

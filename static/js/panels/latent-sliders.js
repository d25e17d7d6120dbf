/**
 * A slider for each number of a latent with more than two. A slider moves the point off the plane, and the map follows.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { rangeOf } from '../latent/atlas.js';
import { freedomOf, withCoordinate } from '../latent/plane.js';
import { copyOf, find } from '../lib/dom.js';

/** Numbers with less freedom off the plane than this are moved by dragging on the map; their sliders are disabled. */
const MIN_FREEDOM = 0.02;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const details = find(root, '#latent-sliders', HTMLDetailsElement);
  const list = find(details, '.sliders', HTMLElement);
  /** @type {HTMLInputElement[]} */
  let sliders = [];
  let shown = '';

  /** @type {(index: number, value: number) => void} */
  function move(index, value) {
    const { atlas, latent } = store.get();
    if (!atlas || !latent) return;
    const moved = withCoordinate(atlas.base, latent, index, value);
    store.set({ latent: moved, movedAt: performance.now(), touched: true, playing: false });
  }

  /** @type {(count: number, range: number) => void} */
  function build(count, range) {
    const rows = Array.from({ length: count }, (_, i) => {
      const row = copyOf(details, 'template', HTMLElement);
      const slider = find(row, 'input', HTMLInputElement);
      find(row, 'span', HTMLElement).textContent = `z${i + 1}`;
      Object.assign(slider, { min: `${-range}`, max: `${range}` });
      slider.addEventListener('input', () => move(i, Number(slider.value)));
      return { row, slider };
    });
    sliders = rows.map(({ slider }) => slider);
    list.replaceChildren(...rows.map(({ row }) => row));
  }

  function show() {
    const { atlas, latent } = store.get();
    if (!atlas || !latent || !details.open) return;
    sliders.forEach((slider, i) => {
      slider.disabled = freedomOf(atlas.base, i) < MIN_FREEDOM;
      if (document.activeElement !== slider) slider.value = `${latent[i]}`;
    });
  }

  details.addEventListener('toggle', show);
  const ends = [
    store.watch(['atlas'], ({ atlas }) => {
      details.hidden = !atlas || atlas.card.latent_dim === 2;
      if (!atlas || details.hidden || shown === atlas.card.id) return;
      shown = atlas.card.id;
      build(atlas.card.latent_dim, Math.ceil(rangeOf(atlas)));
    }),
    store.watch(['latent', 'atlas'], show),
  ];
  return () => {
    details.removeEventListener('toggle', show);
    list.replaceChildren();
    ends.forEach((end) => end());
  };
}

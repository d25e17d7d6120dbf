/**
 * The head of the map beside: which model it shows, how it is linked, and what is thrown on both.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').State} State
 */
import { find, findAll } from '../lib/dom.js';
import { labelsOf } from '../latent/labels.js';
import { LINKS, candidatesFor, linkOf } from './pairs.js';
import { nearestImage } from './correspondence.js';

/** Seeds go on from here to the next throw. */
const FIRST_SEED = 1;

/**
 * @param {HTMLElement} twin  all of the map beside
 * @param {Store} page
 * @param {Store} beside
 * @param {import('../api.js').Api} api
 */
export function mount(twin, page, beside, api) {
  const head = find(twin, '.twin-head', HTMLElement);
  const select = find(head, 'select', HTMLSelectElement);
  const close = find(head, '[data-part="close"]', HTMLButtonElement);
  const links = findAll(head, 'input[type="radio"]', HTMLInputElement);
  const again = find(head, '[data-part="throw"]', HTMLButtonElement);
  const clear = find(head, '[data-part="clear"]', HTMLButtonElement);
  const pending = find(head, '[data-part="pending"]', HTMLElement);
  const shared = find(twin, '[data-part="shared"]', HTMLElement);
  const image = find(shared, 'img', HTMLImageElement);
  const caption = find(shared, 'span', HTMLElement);
  const listeners = new AbortController();

  /** @param {Readonly<State>} state */
  function offer({ models, groups, model, twin: chosen }) {
    const card = models.find(({ id }) => id === model);
    if (!card) return;
    const ids = new Set(candidatesFor(models, card).map(({ id }) => id));
    select.replaceChildren(...groups.flatMap(({ title, models: cards }) => {
      const section = document.createElement('optgroup');
      section.label = title;
      section.append(...cards.filter(({ id }) => ids.has(id)).map(({ id, title: name }) => new Option(name, id)));
      return section.childElementCount ? [section] : [];
    }));
    select.value = chosen;
  }

  function showLink() {
    const { atlas, link, latent } = page.get();
    const other = beside.get().atlas;
    if (!atlas || !other) return;
    const isAlike = atlas.card.dataset === other.card.dataset;
    const actual = linkOf(link, atlas.card, other.card);
    for (const input of links) {
      input.checked = input.value === actual;
      input.disabled = !isAlike && input.value === 'image';
    }
    shared.hidden = actual !== 'image' || latent?.length !== atlas.card.latent_dim;
    if (shared.hidden || !latent) return;
    const index = nearestImage(other, beside.get().latent ?? []);
    if (`${index}` === shared.dataset.image) return;
    shared.dataset.image = `${index}`;
    image.src = api.testImageAddress(atlas.card.dataset, index);
    caption.textContent = `Test image ${index}, ${labelsOf(atlas.card.dataset)[atlas.codes.labels[index]]?.one}`;
  }

  const { signal } = listeners;
  select.addEventListener('change', () => page.set({ twin: select.value }), { signal });
  close.addEventListener('click', () => page.set({ twin: '' }), { signal });
  again.addEventListener('click', () => page.set({ draws: Math.max(FIRST_SEED, page.get().draws + 1) }), { signal });
  clear.addEventListener('click', () => {
    page.set({ draws: 0 });
    again.focus();
  }, { signal });
  for (const input of links) {
    input.addEventListener('change', () => {
      const link = LINKS.find((name) => name === input.value);
      if (link && input.checked) page.set({ link });
    }, { signal });
  }

  const ends = [
    page.watch(['models', 'groups', 'model', 'twin'], offer),
    page.watch(['latent', 'atlas', 'link'], showLink),
    beside.watch(['latent', 'atlas'], showLink),
    beside.watch(['pending'], ({ pending: words }) => {
      pending.textContent = words;
    }),
    page.watch(['draws'], ({ draws }) => {
      clear.disabled = draws === 0;
    }),
  ];
  return () => {
    listeners.abort();
    ends.forEach((end) => end());
  };
}

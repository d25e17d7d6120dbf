/**
 * The header of the second map: its model, how the two points are linked, and the button that samples the prior.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').State} State
 */
import { labelsOf } from '../latent/labels.js';
import { distinctTitle } from '../latent/model-groups.js';
import { find, findAll } from '../lib/dom.js';
import { DRAW_SOURCES, LINKS } from '../store.js';
import { nearestImage } from './correspondence.js';
import { candidatesFor, linkOf } from './pairs.js';

/** The seed of the first samples; each press of the button takes the next. */
const FIRST_SEED = 1;

/**
 * @param {HTMLElement} section  of the second map
 * @param {Store} page
 * @param {Store} second
 * @param {import('../api.js').Api} api
 */
export function mount(section, page, second, api) {
  const header = find(section, '.compare-header', HTMLElement);
  const select = find(header, 'select', HTMLSelectElement);
  const close = find(header, '[data-part="close"]', HTMLButtonElement);
  const source = find(header, '[data-part="source"]', HTMLSelectElement);
  const links = findAll(header, 'input[type="radio"]', HTMLInputElement);
  const sample = find(header, '[data-part="sample"]', HTMLButtonElement);
  const clear = find(header, '[data-part="clear"]', HTMLButtonElement);
  const pending = find(header, '[data-part="pending"]', HTMLElement);
  const shared = find(section, '[data-part="shared"]', HTMLElement);
  const image = find(shared, 'img', HTMLImageElement);
  const caption = find(shared, 'span', HTMLElement);
  const listeners = new AbortController();

  /** @param {Readonly<State>} state */
  function fillSelect({ models, groups, model, secondModel: chosen }) {
    const card = models.find(({ id }) => id === model);
    if (!card) return;
    const ids = new Set(candidatesFor(models, card).map(({ id }) => id));
    select.replaceChildren(...groups.flatMap(({ title, models: cards }) => {
      const group = document.createElement('optgroup');
      group.label = title;
      const offered = cards.filter(({ id }) => ids.has(id));
      group.append(...offered.map((other) => new Option(distinctTitle(other, groups), other.id)));
      return group.childElementCount ? [group] : [];
    }));
    select.value = chosen;
  }

  function showLink() {
    const { atlas, link, latent } = page.get();
    const other = second.get().atlas;
    if (!atlas || !other) return;
    const hasSameImages = atlas.card.dataset === other.card.dataset;
    const actual = linkOf(link, atlas.card, other.card);
    for (const input of links) {
      input.checked = input.value === actual;
      input.disabled = !hasSameImages && input.value === 'image';
    }
    shared.hidden = actual !== 'image' || latent?.length !== atlas.card.latent_dim;
    if (shared.hidden || !latent) return;
    const index = nearestImage(other, second.get().latent ?? []);
    if (`${index}` === shared.dataset.image) return;
    shared.dataset.image = `${index}`;
    image.src = api.testImageUrl(atlas.card.dataset, index);
    caption.textContent = `Test image ${index}, ${labelsOf(atlas.card.dataset)[atlas.codes.labels[index]]?.one}`;
  }

  const { signal } = listeners;
  select.addEventListener('change', () => page.set({ secondModel: select.value }), { signal });
  close.addEventListener('click', () => page.set({ secondModel: '' }), { signal });
  sample.addEventListener('click', () => {
    page.set({ sampleSeed: Math.max(FIRST_SEED, page.get().sampleSeed + 1) });
  }, { signal });
  source.addEventListener('change', () => {
    const drawSource = DRAW_SOURCES.find((name) => name === source.value);
    if (drawSource) page.set({ drawSource });
  }, { signal });
  clear.addEventListener('click', () => page.set({ sampleSeed: 0 }), { signal });
  for (const input of links) {
    input.addEventListener('change', () => {
      const link = LINKS.find((name) => name === input.value);
      if (link && input.checked) page.set({ link });
    }, { signal });
  }

  const ends = [
    page.watch(['models', 'groups', 'model', 'secondModel'], fillSelect),
    page.watch(['latent', 'atlas', 'link'], showLink),
    second.watch(['latent', 'atlas'], showLink),
    second.watch(['pending'], ({ pending: text }) => {
      pending.textContent = text;
    }),
    page.watch(['drawSource'], ({ drawSource }) => {
      source.value = drawSource;
    }),
    page.watch(['sampleSeed'], ({ sampleSeed }) => {
      clear.ariaDisabled = `${sampleSeed === 0}`;
    }),
  ];
  return () => {
    listeners.abort();
    ends.forEach((end) => end());
  };
}

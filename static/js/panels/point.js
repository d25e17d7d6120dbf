/**
 * Describes the point: a sentence, and the labels of the nearest codes.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../latent/nearest.js').Neighbourhood} Neighbourhood
 */
import { COLLAPSED, describe, typicalReach } from '../latent/describe-point.js';
import { hasWords, labelsOf } from '../latent/labels.js';
import { hasCollapsed } from '../latent/measures.js';
import { createNearest, ranked } from '../latent/nearest.js';
import { MIN_HEIGHT, footOf, heightOf, latentAt } from '../latent/plane.js';
import { copyOf, find, hide, write } from '../lib/dom.js';

/** How many labels have a bar. */
const BARS = 4;
/** The sentence changes at most this often, so that it can be read during a drag. */
const TEXT_MILLISECONDS = 150;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const panel = find(root, '#panel-point', HTMLElement);
  const title = find(panel, '[data-part="title"]', HTMLElement);
  const text = find(panel, '[data-part="text"]', HTMLElement);
  const height = find(panel, '[data-part="height"]', HTMLElement);
  const away = find(height, '[data-part="away"]', HTMLElement);
  const back = find(height, 'button', HTMLButtonElement);
  const list = find(panel, '#shares', HTMLElement);
  const sharesTitle = find(panel, '#shares-title', HTMLElement);
  const sliders = find(panel, '#latent-sliders summary', HTMLElement);
  const rows = Array.from({ length: BARS }, () => {
    const row = copyOf(panel, 'template', HTMLElement);
    list.append(row);
    return {
      row,
      name: find(row, '[data-part="label"]', HTMLElement),
      bar: find(row, '[data-part="bar"]', HTMLElement),
      value: find(row, '[data-part="value"]', HTMLElement),
    };
  });
  /** @type {((latent: ArrayLike<number>) => Neighbourhood) | null} */
  let nearest = null;
  let typical = Infinity;
  let writtenAt = -Infinity;
  let timer = 0;

  function update() {
    const { latent, atlas, panel: open } = store.get();
    if (!latent || !atlas || !nearest || open !== 'point') return;
    const place = nearest(latent);
    const names = labelsOf(atlas.card.dataset);
    const labels = ranked(place.share).slice(0, BARS);
    rows.forEach(({ row, name, bar, value }, i) => {
      const label = labels[i];
      row.dataset.digit = `${label ?? ''}`;
      row.classList.toggle('empty', label === undefined);
      const share = label === undefined ? 0 : place.share[label];
      write(name, label === undefined ? '' : names[label].name);
      bar.style.transform = `scaleX(${share})`;
      write(value, label === undefined ? '' : `${Math.round(100 * share)} %`);
    });
    clearTimeout(timer);
    const wait = writtenAt + TEXT_MILLISECONDS - performance.now();
    if (wait <= 0) writeText();
    else timer = setTimeout(writeText, wait);
  }

  function writeText() {
    const { latent, atlas } = store.get();
    if (!latent || !atlas || !nearest) return;
    writtenAt = performance.now();
    const { card } = atlas;
    const description = hasCollapsed(card) ? COLLAPSED : describe(nearest(latent), typical, labelsOf(card.dataset));
    write(title, description.title);
    write(text, description.text);
    const distance = heightOf(atlas.base, latent);
    if (distance < MIN_HEIGHT) hide(height, sliders);
    else height.hidden = false;
    write(away, distance.toFixed(2));
  }

  /** @param {import('../api.js').Codes} codes */
  async function learnReach(codes) {
    const reach = await typicalReach(codes);
    if (codes !== store.get().atlas?.codes) return;
    typical = reach;
    update();
  }

  const returnToPlane = () => {
    const { latent, atlas } = store.get();
    if (latent && atlas) store.set({ latent: latentAt(atlas.base, footOf(atlas.base, latent)), touched: true });
  };
  back.addEventListener('click', returnToPlane);

  const ends = [
    store.watch(['atlas'], ({ atlas }) => {
      // Of one label, all neighbours have it.
      sharesTitle.hidden = list.hidden = atlas !== null && labelsOf(atlas.card.dataset).length < 2;
      nearest = atlas && createNearest(atlas.codes);
      list.classList.toggle('words', hasWords(atlas?.card.dataset));
      typical = Infinity; // until it is known, no place is called far
      if (atlas) void learnReach(atlas.codes);
    }),
    store.watch(['frame', 'panel', 'atlas', 'isBehind'], update),
    // The words change with the image, and with the point once that has no image.
    store.watch(['latent'], ({ isBehind }) => isBehind && update()),
  ];
  return () => {
    clearTimeout(timer);
    back.removeEventListener('click', returnToPlane);
    list.replaceChildren();
    ends.forEach((end) => end());
  };
}

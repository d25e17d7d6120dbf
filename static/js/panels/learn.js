/**
 * Things to try: each button makes the page show what its card says. In the template, `data-model` names the button's
 * model, `data-show` what to show of it (the keys below), and `data-measure` the measures in the text.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').State} State
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../latent/box.js').Point} Point
 */
import { partnerOf } from '../compare/pairs.js';
import { borderOf, codeOf, priorCentre } from '../latent/atlas.js';
import { largestHole } from '../latent/holes.js';
import { printedMeasure, valueOf } from '../latent/measures.js';
import { pathIn, typicalImage } from '../latent/path.js';
import { latentAt } from '../latent/plane.js';
import { find, findAll } from '../lib/dom.js';

/** Noise in which an eye still sees the strokes. */
const NOISE = 0.5;
/** A clearly written test image. */
const IMAGE = 0;

/** @type {(atlas: Atlas, point: Point) => Partial<State>} */
const at = (atlas, point) => ({ latent: latentAt(atlas.plane, point) });

/**
 * What a button shows of a model with a plane, once it has loaded. `data-show` may end in a number: a label in
 * "code-7", a test image in "test-1".
 *
 * @type {Readonly<Record<string, (atlas: Atlas, state: Readonly<State>, number: number) => Partial<State>>>}
 */
const ON_THE_MAP = {
  path: (atlas) => ({ path: pathIn(atlas, null), playing: true }),
  same: (atlas, { path }) => ({ path: pathIn(atlas, path), playing: true }),
  border: (atlas) => ({ ...at(atlas, borderOf(atlas, 4, 9)), digits: (1 << 4) | (1 << 9) }),
  middle: (atlas) => at(atlas, priorCentre(atlas.plane)),
  hole: (atlas) => at(atlas, largestHole(atlas)),
  code: (atlas, _state, label) => ({ latent: codeOf(atlas, typicalImage(atlas, label).image) }),
  test: (atlas, _state, index) => ({ latent: codeOf(atlas, index) }),
  compare: ({ card }, { models, defaultModel }) => {
    return { secondModel: partnerOf(models, card, defaultModel)?.id ?? '', link: 'image', sampleSeed: 1 };
  },
  stay: () => ({}),
};
/** What a button shows in the panel Draw, with or without a map. @type {Readonly<Record<string, Partial<State>>>} */
const IN_DRAW = {
  noise: { panel: 'draw', testImage: IMAGE, noise: NOISE },
  image: { panel: 'draw', testImage: IMAGE, noise: 0 },
};

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const panel = find(root, '#panel-learn', HTMLElement);
  const buttons = findAll(panel, 'button[data-model]', HTMLButtonElement);
  const listeners = new AbortController();
  /** The button whose model is loading. @type {HTMLButtonElement | null} */
  let waiting = null;

  function show() {
    const { shown, atlas } = store.get();
    if (!waiting || shown?.id !== waiting.dataset.model) return;
    const [name, number] = (waiting.dataset.show ?? '').split('-');
    waiting = null;
    store.set({ digits: 0, pathLatents: null, touched: true, movedAt: 0, playing: false });
    if (name in IN_DRAW) store.set(IN_DRAW[name]);
    else if (atlas) store.set(ON_THE_MAP[name](atlas, store.get(), Number(number)));
  }

  for (const button of buttons) {
    button.addEventListener('click', () => {
      waiting = button;
      for (const other of buttons) other.ariaPressed = `${other === button}`;
      store.set({ model: button.dataset.model, touched: true, playing: false });
      show();
    }, { signal: listeners.signal });
  }

  /** Hide buttons whose model is missing, cards without buttons, and headings without cards. */
  function showAvailable() {
    const ids = new Set(store.get().models.map(({ id }) => id));
    for (const button of buttons) button.hidden = !ids.has(button.dataset.model ?? '');
    for (const list of findAll(panel, '.lessons', HTMLElement)) {
      for (const card of findAll(list, 'li', HTMLElement)) card.hidden = !card.querySelector('button:not([hidden])');
      const isEmpty = !list.querySelector('li:not([hidden])');
      list.hidden = isEmpty;
      list.previousElementSibling?.toggleAttribute('hidden', isEmpty);
    }
  }

  /**
   * Fill in the measures. A sentence that lacks a measure is hidden, and so is one about the measures below it if
   * there are none.
   */
  function showMeasures() {
    const { models, measures } = store.get();
    for (const sentence of findAll(panel, '.measured:has(data)', HTMLElement)) {
      const numbers = findAll(sentence, 'data', HTMLDataElement).map((number) => {
        const key = number.dataset.measure ?? '';
        const row = measures.find((one) => one.key === key);
        const value = valueOf(models.find(({ id }) => id === number.dataset.of), key);
        number.textContent = row ? printedMeasure(row, value) : '';
        return number.textContent;
      });
      sentence.hidden = numbers.includes('');
    }
    for (const sentence of findAll(panel, '.measured:not(:has(data))', HTMLElement)) {
      sentence.hidden = !sentence.closest('li')?.querySelector('small.measured:not([hidden])');
    }
  }

  const ends = [
    store.watch(['shown'], show),
    store.watch(['model'], ({ model }) => {
      if (waiting && waiting.dataset.model !== model) waiting = null;
      for (const button of buttons) if (button.dataset.model !== model) button.ariaPressed = 'false';
    }),
    store.watch(['models'], showAvailable),
    store.watch(['models', 'measures'], showMeasures),
  ];
  return () => {
    listeners.abort();
    ends.forEach((end) => end());
  };
}

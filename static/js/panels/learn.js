/**
 * Things to try: each button makes the page show what its card says. In the template, `data-lesson` names the lesson,
 * `data-model`, `data-show`, `data-twin` and `data-draws` say what it shows (see learn-scenes.js), and `data-measure`
 * names the measures in the text.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../url/query.js').UrlState} UrlState
 * @typedef {import('./learn-scenes.js').Lesson} Lesson
 */
import { isShippedDataset } from '../latent/labels.js';
import { printedMeasure, valueOf } from '../latent/measures.js';
import { find, findAll } from '../lib/dom.js';
import { DRAW_SOURCES } from '../store.js';
import { showView, viewOf } from '../url/history.js';
import { placeOf, stageOf } from './learn-scenes.js';
import { mount as mountOwn } from './learn-own.js';
import { mount as mountSeam } from './learn-seam.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {import('../api.js').Api} api
 */
export function mount(root, store, api) {
  const panel = find(root, '#panel-learn', HTMLElement);
  const buttons = findAll(panel, 'button[data-lesson]', HTMLButtonElement);
  const ownLessons = find(panel, '#own-lessons', HTMLElement);
  const nothing = find(panel, '#no-lessons', HTMLElement);
  const leave = find(panel, '#leave-lessons', HTMLButtonElement);
  const listeners = new AbortController();
  /** The lesson whose model is loading. @type {Lesson | null} */
  let waiting = null;
  /** What the page showed before the first lesson. @type {UrlState | null} */
  let before = null;

  function show() {
    const { shown, atlas } = store.get();
    if (!waiting || shown?.id !== waiting.model) return;
    const lesson = waiting;
    waiting = null;
    store.set(placeOf(lesson, atlas));
  }

  /** @param {Lesson} lesson */
  function take(lesson) {
    const state = store.get();
    if (!state.lesson) before = { ...viewOf(state), latent: state.latent };
    waiting = lesson;
    const isLoaded = state.shown?.id === lesson.model;
    store.set({ ...stageOf(lesson), ...(isLoaded ? {} : { pendingView: { latent: null, framing: null, plane: '' } }) });
    show();
  }

  function goBack() {
    if (before) showView(store, before);
    before = waiting = null;
  }

  for (const button of buttons) {
    button.addEventListener('click', () => take(lessonOf(button)), { signal: listeners.signal });
  }
  leave.addEventListener('click', goBack, { signal: listeners.signal });

  /** Mark the lesson, and let go of it once another model is chosen. */
  function mark() {
    const { lesson, model } = store.get();
    const pressed = buttons.find((button) => button.dataset.lesson === lesson);
    if (lesson && model && pressed?.dataset.model !== model) {
      waiting = null;
      return store.set({ lesson: '' });
    }
    for (const button of buttons) button.ariaPressed = `${button === pressed}`;
    if (!lesson) before = null;
    leave.hidden = !before;
  }

  /** Hide buttons that are for other images or whose model is missing, cards without buttons, and headings without cards. */
  function showAvailable() {
    const { models, shown } = store.get();
    const ids = new Set(models.map(({ id }) => id));
    const isOwn = shown !== null && !isShippedDataset(shown.dataset);
    for (const button of buttons) {
      const { model = '', twin = '' } = button.dataset;
      const isForShown = ownLessons.contains(button) === isOwn;
      button.hidden = !isForShown || !ids.has(model) || (twin !== '' && !ids.has(twin));
    }
    nothing.hidden = buttons.some((button) => !button.hidden);
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
    mountSeam(panel, store, api),
    mountOwn(panel, store),
    store.watch(['shown'], show),
    store.watch(['posterior'], ({ posterior, lesson, noise }) => {
      // The large picture shows what the model made of the noisy image.
      if (lesson && noise && posterior?.mean) store.set({ latent: posterior.mean, movedAt: 0 });
    }),
    store.watch(['lesson', 'model'], mark),
    store.watch(['models', 'shown', 'atlas'], showAvailable),
    store.watch(['models', 'measures'], showMeasures),
  ];
  return () => {
    listeners.abort();
    ends.forEach((end) => end());
  };
}

/** @type {(button: HTMLButtonElement) => Lesson} */
function lessonOf({ dataset }) {
  return {
    id: dataset.lesson ?? '',
    model: dataset.model ?? '',
    show: dataset.show ?? 'home',
    twin: dataset.twin ?? '',
    draws: Number(dataset.draws ?? 0),
    source: DRAW_SOURCES.find((source) => source === dataset.source) ?? 'own',
  };
}

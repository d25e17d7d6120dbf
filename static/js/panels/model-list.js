/**
 * The list of models in groups, which opens over the map. Arrow keys, Home and End move through it, letters find a
 * title, and Enter and the space bar choose.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../latent/model-groups.js').Group} Group
 */
import { distinctTitle, kindOfModel } from '../latent/model-groups.js';
import { copyOf, find, findAll } from '../lib/dom.js';
import { createTypeAhead, inNextColumn } from './listbox.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const sheet = find(root, '#model-sheet', HTMLElement);
  const close = find(sheet, '.sheet-header button', HTMLButtonElement);
  const list = find(sheet, '#model-list', HTMLElement);
  const opener = find(root, '#choose-model', HTMLButtonElement);
  const listeners = new AbortController();
  let typed = createTypeAhead();
  /** @type {HTMLElement[]} */
  let options = [];
  /** @type {readonly Group[]} */
  let filled = [];

  /** @param {readonly Group[]} groups */
  function fill(groups) {
    list.replaceChildren(...groups.map(({ title, about, models }, place) => {
      const section = copyOf(sheet, '#model-group', HTMLElement);
      const heading = find(section, '[data-part="title"]', HTMLElement);
      heading.id = `models-${place}`;
      heading.textContent = title;
      section.setAttribute('aria-labelledby', heading.id);
      const line = find(section, '[data-part="about"]', HTMLElement);
      line.textContent = about;
      line.hidden = !about;
      section.append(...models.map((card) => {
        const option = copyOf(sheet, '#model-option', HTMLElement);
        option.dataset.model = card.id;
        find(option, '[data-part="title"]', HTMLElement).textContent = distinctTitle(card, groups);
        find(option, '[data-part="kind"]', HTMLElement).textContent = kindOfModel(card);
        find(option, '[data-part="summary"]', HTMLElement).textContent = card.summary;
        return option;
      }));
      return section;
    }));
    options = findAll(list, '[role="option"]', HTMLElement);
  }

  /** @param {HTMLElement} option */
  function choose(option) {
    sheet.hidePopover();
    store.set({ model: option.dataset.model, playing: false });
  }

  /** @param {HTMLElement | undefined} option */
  function focus(option) {
    if (!option) return;
    for (const other of options) other.tabIndex = other === option ? 0 : -1;
    option.focus();
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const at = options.findIndex((option) => option === document.activeElement);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    /** @type {Readonly<Record<string, () => void>>} */
    const actions = {
      Enter: () => choose(options[at]),
      ArrowDown: () => focus(options[at + 1]),
      ArrowUp: () => focus(options[at - 1]),
      ArrowRight: () => focus(options[inNextColumn(options.map(placeOf), at, 1)]),
      ArrowLeft: () => focus(options[inNextColumn(options.map(placeOf), at, -1)]),
      Home: () => focus(options[0]),
      End: () => focus(options.at(-1)),
    };
    const letter = event.key.length === 1 ? event.key : '';
    const action = actions[event.key];
    if (action) action();
    else if (letter === ' ' && !typed.isOngoing()) choose(options[at]);
    else if (letter) focus(options[typed.find(letter, options.map(searchTextOf), at)]);
    else return;
    event.preventDefault();
  }

  /** Keep Tab within the sheet, between its close button and the current option. @param {KeyboardEvent} event */
  function keepInside(event) {
    if (event.key !== 'Tab') return;
    event.preventDefault();
    if (document.activeElement === close) options.find((option) => option.tabIndex === 0)?.focus();
    else close.focus();
  }

  const { signal } = listeners;
  list.addEventListener('keydown', key, { signal });
  sheet.addEventListener('keydown', keepInside, { signal });
  list.addEventListener('click', ({ target }) => {
    const option = target instanceof Element ? target.closest('[role="option"]') : null;
    if (option instanceof HTMLElement) choose(option);
  }, { signal });
  sheet.addEventListener('toggle', ({ newState }) => {
    opener.ariaExpanded = `${newState === 'open'}`;
    if (newState !== 'open') {
      if (document.activeElement === document.body) opener.focus();
      return;
    }
    typed = createTypeAhead(); // forget what was typed when the list was last open
    const chosen = options.find((option) => option.ariaSelected === 'true') ?? options[0];
    focus(chosen);
    chosen?.scrollIntoView({ block: 'nearest' });
  }, { signal });

  const unwatch = store.watch(['groups', 'model'], ({ groups, model }) => {
    if (groups !== filled) fill(groups);
    filled = groups;
    for (const option of options) option.ariaSelected = `${option.dataset.model === model}`;
  });
  return () => {
    listeners.abort();
    list.replaceChildren();
    unwatch();
  };
}

/** The place of an option on the screen. @type {(option: HTMLElement) => import('./listbox.js').Place} */
function placeOf(option) {
  const { left, top, height } = option.getBoundingClientRect();
  return { column: Math.round(left), middle: top + height / 2 };
}

/** The text that letters are matched with: the title, and the id as words. @type {(option: HTMLElement) => string} */
const searchTextOf = (option) =>
  `${find(option, '[data-part="title"]', HTMLElement).textContent} ${option.dataset.model?.replaceAll('-', ' ')}`;

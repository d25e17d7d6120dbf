/**
 * Keeps the URL in step with the state, so that a link shows the same view. Another model, second model, panel or
 * lesson adds an entry to the browser's history, and so does presenting; every other change replaces the entry. Back and
 * forward restore the state.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').State} State
 * @typedef {import('./query.js').UrlState} UrlState
 */
import { DEFAULTS, fromQuery, toQuery, unknownIn } from './query.js';

/** Browsers refuse URLs that change too often, and each change costs a layout, so the URL waits until a drag rests. */
const EVERY_MILLISECONDS = 300;
/** What adds an entry when it changes. */
const STEPS = /** @type {const} */ (['model', 'panel', 'secondModel', 'lesson', 'presenting']);
const KEYS = /** @type {(keyof UrlState)[]} */ (Object.keys(DEFAULTS));

/** Return the state that the URL describes as the page opens. @returns {Partial<State>} */
export function stateFromUrl() {
  const found = fromQuery(location.search);
  return { ...found, touched: found.latent !== undefined, unknownParts: unknownIn(location.search) };
}

/**
 * Return the part of the state that makes the view.
 *
 * @param {Readonly<State>} state
 * @returns {UrlState}
 */
export function viewOf(state) {
  const view = /** @type {UrlState} */ (Object.fromEntries(KEYS.map((key) => [key, state[key]])));
  return { ...view, latent: state.touched ? state.latent : null };
}

/**
 * Show a view, if need be once its model has loaded.
 *
 * @param {Store} store
 * @param {UrlState} view
 */
export function showView(store, { latent, framing, plane, ...rest }) {
  const { shown } = store.get();
  const still = { playing: false, trainingTime: null };
  if (rest.model !== shown?.id) return store.set({ ...rest, ...still, pendingView: { latent, framing, plane } });
  const there = latent?.length === shown.latent_dim ? { latent, touched: true } : {};
  store.set({ ...rest, ...still, ...there, framing, plane, movedAt: 0 });
}

/** @param {UrlState} view */
function urlOf(view) {
  const query = toQuery(view);
  return query ? `${location.pathname}?${query}` : location.pathname;
}

/**
 * @param {HTMLElement} _root
 * @param {Store} store
 */
export function mount(_root, store) {
  let timer = 0;
  /** The view of the browser's entry, as far as steps go. */
  let entry = viewOf(store.get());
  let last = entry;
  /** The view that a step has left, until the step is written; it belongs to the old entry. @type {UrlState | null} */
  let left = null;

  /** @type {(view: Readonly<UrlState>) => boolean} */
  const isStep = (view) => entry.model !== '' && STEPS.some((key) => view[key] !== entry[key]);

  function write() {
    const view = viewOf(store.get());
    const isDragged = performance.now() - store.get().movedAt < EVERY_MILLISECONDS;
    timer = isDragged && !isStep(view) ? setTimeout(write, EVERY_MILLISECONDS) : 0;
    if (timer) return;
    const [url, steps, before] = [urlOf(view), isStep(view), left];
    [entry, left] = [view, null];
    if (steps && before) history.replaceState(null, '', urlOf(before));
    if (url === `${location.pathname}${location.search}`) return;
    if (steps) history.pushState(null, '', url);
    else history.replaceState(null, '', url);
  }

  function read() {
    clearTimeout(timer);
    timer = 0;
    const found = fromQuery(location.search);
    entry = { ...DEFAULTS, model: store.get().defaultModel, ...found };
    left = null;
    showView(store, entry);
  }

  addEventListener('popstate', read);
  const unwatch = store.watch(KEYS, (state) => {
    const view = viewOf(state);
    if (isStep(view)) left ??= last;
    last = view;
    timer ||= setTimeout(write, EVERY_MILLISECONDS);
  });
  return () => {
    removeEventListener('popstate', read);
    clearTimeout(timer);
    unwatch();
  };
}

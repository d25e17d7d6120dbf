/**
 * Keeps the URL in step with the state, so that a link shows the same view. Another model, second model or panel adds
 * an entry to the browser's history; every other change replaces the entry. Back and forward restore the state.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').State} State
 */
import { DEFAULTS, fromQuery, toQuery, unknownIn } from './query.js';

/** Browsers refuse URLs that change too often, and each change costs a layout, so the URL waits until a drag rests. */
const EVERY_MILLISECONDS = 300;

/** Return the state that the URL describes as the page opens. @returns {Partial<State>} */
export function stateFromUrl() {
  const found = fromQuery(location.search);
  return { ...found, touched: found.latent !== undefined, unknownParts: unknownIn(location.search) };
}

/** @param {import('./query.js').UrlState} shown */
function urlOf(shown) {
  const query = toQuery(shown);
  return query ? `${location.pathname}?${query}` : location.pathname;
}

/**
 * @param {HTMLElement} _root
 * @param {Store} store
 */
export function mount(_root, store) {
  let timer = 0;
  let { model, panel, secondModel } = store.get();

  function write() {
    const { latent, touched, movedAt, ...state } = store.get();
    const isStep = model !== ''
      && (state.model !== model || state.panel !== panel || state.secondModel !== secondModel);
    const isDragged = performance.now() - movedAt < EVERY_MILLISECONDS;
    timer = isDragged && !isStep ? setTimeout(write, EVERY_MILLISECONDS) : 0;
    if (timer) return;
    const now = { ...state, latent: touched ? latent : null };
    const before = { ...now, model, panel, secondModel };
    // The end of a drag belongs to the old entry.
    if (isStep && state.model === model) history.replaceState(null, '', urlOf(before));
    ({ model, panel, secondModel } = state);
    const url = urlOf(now);
    if (url === `${location.pathname}${location.search}`) return;
    if (isStep) history.pushState(null, '', url);
    else history.replaceState(null, '', url);
  }

  function read() {
    clearTimeout(timer);
    timer = 0;
    const found = fromQuery(location.search);
    const { shown, defaultModel } = store.get();
    const { latent, framing, plane, ...rest } = { ...DEFAULTS, model: defaultModel, ...found };
    ({ model, panel, secondModel } = rest);
    if (rest.model !== shown?.id) return store.set({ ...rest, pendingView: { latent, framing, plane } });
    const there = latent?.length === shown.latent_dim ? { latent, touched: true, playing: false } : {};
    store.set({ ...rest, ...there, framing, plane, movedAt: 0 });
  }

  addEventListener('popstate', read);
  const keys = /** @type {(keyof State)[]} */ (Object.keys(DEFAULTS));
  const unwatch = store.watch(keys, () => {
    timer ||= setTimeout(write, EVERY_MILLISECONDS);
  });
  return () => {
    removeEventListener('popstate', read);
    clearTimeout(timer);
    unwatch();
  };
}

/**
 * Keeps the page's address: it holds what makes the picture. Another model, twin or panel is another step back; what moves
 * all the time is written over. Back and forward bring a picture again.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').State} State
 */
import { PLAIN, fromQuery, strangeIn, toQuery } from './query.js';

/** Browsers refuse an address that changes too often; and each makes them lay the page out, so a drag waits to rest. */
const EVERY_MILLISECONDS = 300;

/** What the address says as the page opens. @returns {Partial<State>} */
export function opening() {
  const found = fromQuery(location.search);
  return { ...found, touched: found.latent !== undefined, strange: strangeIn(location.search) };
}

/** @param {import('./query.js').Addressed} shown */
function addressOf(shown) {
  const query = toQuery(shown);
  return query ? `${location.pathname}?${query}` : location.pathname;
}

/**
 * @param {HTMLElement} _root
 * @param {Store} store
 */
export function mount(_root, store) {
  let timer = 0;
  let { model, panel, twin } = store.get();

  function write() {
    const { latent, touched, movedAt, ...state } = store.get();
    const isStep = model !== '' && (state.model !== model || state.panel !== panel || state.twin !== twin);
    const isDragged = performance.now() - movedAt < EVERY_MILLISECONDS;
    timer = isDragged && !isStep ? setTimeout(write, EVERY_MILLISECONDS) : 0;
    if (timer) return;
    const now = { ...state, latent: touched ? latent : null };
    const before = { ...now, model, panel, twin };
    if (isStep && state.model === model) history.replaceState(null, '', addressOf(before)); // where a drag left it
    ({ model, panel, twin } = state);
    const address = addressOf(now);
    if (address === `${location.pathname}${location.search}`) return;
    if (isStep) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
  }

  function read() {
    clearTimeout(timer);
    timer = 0;
    const found = fromQuery(location.search);
    const { shown, defaultModel } = store.get();
    const { latent, framing, plane, ...rest } = { ...PLAIN, model: defaultModel, ...found };
    ({ model, panel, twin } = rest);
    if (rest.model !== shown?.id) return store.set({ ...rest, addressed: { latent, framing, plane } });
    const there = latent?.length === shown.latent_dim ? { latent, touched: true, playing: false } : {};
    store.set({ ...rest, ...there, framing, plane, movedAt: 0 });
  }

  addEventListener('popstate', read);
  const keys = /** @type {(keyof State)[]} */ (Object.keys(PLAIN));
  const unwatch = store.watch(keys, () => {
    timer ||= setTimeout(write, EVERY_MILLISECONDS);
  });
  return () => {
    removeEventListener('popstate', read);
    clearTimeout(timer);
    unwatch();
  };
}

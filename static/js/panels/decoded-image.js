/**
 * The top of the panel: the decoded image, the latent's numbers, the state of the connection, and the round trip's
 * percentiles.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../store.js').State} State
 */
import { rangeOf } from '../latent/atlas.js';
import { footOf } from '../latent/plane.js';
import { find, write } from '../lib/dom.js';
import { createPercentiles } from '../lib/percentiles.js';
import { imagePainter } from '../lib/pixels.js';

const UPDATE_MILLISECONDS = 400;

/** @type {Readonly<Record<State['connection'], string>>} */
const CONNECTIONS = {
  connecting: 'connecting …',
  open: 'live',
  http: '',
  reconnecting: 'connection lost, reconnecting …',
  offline: 'no network',
};
const WAITING = 'waiting for the image of this point …';
/** What a screen reader says of a connection that was lost. @type {Readonly<Record<State['connection'], string>>} */
const SPOKEN = {
  connecting: '',
  open: 'Connected again.',
  http: 'Connected again.',
  reconnecting: 'The connection is lost, and the page tries to get it back.',
  offline: 'There is no network.',
};
/** Why the page works over HTTP, where the server does not know. */
const WHY_HTTP =
  'A proxy between this page and its server passes no WebSockets, or changes Host or Origin, so each image is asked ' +
  'for by a request of its own. Whoever runs the server finds in its documentation, under “Behind a proxy”, what to set.';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const top = find(root, '.decoded-image', HTMLElement);
  const readout = find(root, '#readout', HTMLElement);
  const names = [0, 1].map((i) => find(readout, `[data-name="${i}"]`, HTMLElement));
  const numbers = [0, 1].map((i) => find(readout, `[data-number="${i}"]`, HTMLElement));
  const bars = find(root, '#latent-bars', HTMLElement);
  const status = find(root, '#status', HTMLElement);
  const state = find(status, '[data-part="state"]', HTMLElement);
  const timing = find(root, '#timing', HTMLElement);
  const why = find(status, '[data-part="why"]', HTMLButtonElement);
  const explanation = find(root, '#why-http', HTMLElement);
  const spoken = find(root, '#connection', HTMLElement);
  const paint = imagePainter(find(root, '#decoded', HTMLCanvasElement));
  const roundTrips = createPercentiles();
  /** @type {HTMLElement[]} */
  let columns = [];
  /** The number for which a bar has its full height. */
  let range = 1;
  let shownAt = -Infinity;

  function showRoundTrips() {
    const now = performance.now();
    if (now - shownAt < UPDATE_MILLISECONDS) return;
    shownAt = now;
    const [p50, p95] = [0.5, 0.95].map((q) => roundTrips.quantile(q));
    const { device } = store.get();
    const times = `round trip ${p50.toFixed(1)} ms, 95 % within ${p95.toFixed(1)} ms`;
    timing.textContent = device ? `Decoded on ${device}, ${times}` : times;
    Object.assign(status.dataset, { p50: p50.toFixed(3), p95: p95.toFixed(3) });
  }

  /** @param {boolean} isOpen */
  function explain(isOpen) {
    why.ariaExpanded = `${isOpen}`;
    explanation.hidden = !isOpen;
  }

  async function toggleWhy() {
    const isOpen = explanation.hidden;
    explain(isOpen);
    const { shown } = store.get();
    if (!isOpen || !shown) return;
    explanation.textContent = 'The page asks the server why …';
    explanation.textContent = (await api.whyNoStream(shown.id)) ?? WHY_HTTP;
  }

  why.addEventListener('click', toggleWhy);
  const ends = [
    store.watch(['atlas'], ({ atlas }) => {
      if (!atlas) return;
      const isWhole = atlas.card.latent_dim === 2;
      names.forEach((name, i) => (name.textContent = isWhole ? `z${'₁₂'[i]}` : `axis ${i + 1}`));
      bars.hidden = isWhole;
      range = rangeOf(atlas);
      columns = Array.from({ length: isWhole ? 0 : atlas.card.latent_dim }, () => document.createElement('i'));
      bars.replaceChildren(...columns);
      bars.setAttribute('aria-label', `The ${columns.length} numbers of the latent, as bars`);
    }),
    store.watch(['latent', 'atlas'], ({ latent, atlas }) => {
      if (!latent || !atlas) return;
      readout.dataset.latent = latent.join(',');
      const { u, v } = footOf(atlas.plane, latent);
      numbers[0].textContent = signed(u);
      numbers[1].textContent = signed(v);
      columns.forEach((column, i) => {
        column.style.transform = `scaleY(${Math.max(-1, Math.min(1, latent[i] / range))})`;
      });
    }),
    store.watch(['frame'], ({ frame }) => {
      if (!frame) return;
      paint(frame.pixels, frame.image);
      if (!frame.roundTrip) return; // it is from the training, not from the server
      roundTrips.add(frame.roundTrip);
      showRoundTrips();
    }),
    store.watch(['connection', 'isBehind'], ({ connection, isBehind }) => {
      status.dataset.connection = connection;
      top.toggleAttribute('data-behind', isBehind);
      write(state, stateOf(connection, isBehind));
      why.hidden = connection !== 'http';
      write(why, isBehind ? 'over HTTP' : 'live over HTTP');
      if (why.hidden) explain(false);
    }),
    store.watch(['connection'], ({ connection }) => {
      const isLost = connection === 'reconnecting' || connection === 'offline';
      if (isLost || (spoken.textContent && SPOKEN[connection])) write(spoken, SPOKEN[connection]);
    }),
  ];
  return () => {
    why.removeEventListener('click', toggleWhy);
    ends.forEach((end) => end());
  };
}

/** @type {(connection: State['connection'], isBehind: boolean) => string} */
const stateOf = (connection, isBehind) =>
  isBehind && (connection === 'open' || connection === 'http') ? WAITING : CONNECTIONS[connection];

/** @type {(value: number) => string} */
const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;

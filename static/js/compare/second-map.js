/**
 * The map of another model beside the page's: a small store of its own, on which the same parts are mounted as on the
 * page's own map. Nothing of it is fetched before somebody asks for it.
 *
 * What a test may rely on: `#twin[data-model]`, of the model that has arrived; `[data-image]` of the test image that
 * both points stand for; `canvas.draws[data-draws]`, how many have fallen.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { Refusal } from '../api.js';
import { createAtlas } from '../latent/atlas.js';
import { copyOf, find } from '../lib/dom.js';
import { mount as mountLive } from '../stream/live-decode.js';
import { mount as mountCanvas } from '../map/canvas.js';
import { mount as mountHand } from '../map/pointer-input.js';
import { mount as mountHover } from '../map/hover.js';
import { mount as mountKeys } from '../map/keyboard-input.js';
import { createMover } from '../map/move-point.js';
import { mount as mountRing } from '../map/ring.js';
import { mount as mountView } from '../map/viewport.js';
import { mount as mountWhereabouts } from '../map/announcer.js';
import { patiently } from '../lib/retry.js';
import { mount as mountSlice } from '../latent/follow-point.js';
import { INITIAL, createStore } from '../store.js';
import { bind } from './sync.js';
import { mount as mountHead } from './header.js';
import { showScores, showStrays } from './scores.js';
import { THROWN, mount as mountThrows } from './prior-samples.js';

/**
 * @param {HTMLElement} root
 * @param {Store} page
 * @param {Api} api
 * @returns {() => void}  closes it
 */
export function mount(root, page, api) {
  const { layers, digits } = page.get();
  const beside = createStore({ ...INITIAL, layers, digits, touched: true });
  const stage = find(root, 'main.stage', HTMLElement);
  const twin = copyOf(root, '#twin-template', HTMLElement);
  stage.after(twin);
  root.dataset.twin = '';
  const head = find(twin, '.twin-head', HTMLElement);
  const map = find(twin, '.map', HTMLElement);
  const problem = find(head, '.problem', HTMLElement);
  /** Below the page's own map, and below this one. */
  const scores = ['.score', '.twin-score'].map((selector) => find(twin, selector, HTMLElement));
  let request = new AbortController();

  async function load() {
    const { models, twin: id } = page.get();
    const card = models.find((one) => one.id === id);
    if (!card || beside.get().model === id) return;
    request.abort();
    request = new AbortController();
    const { signal } = request;
    problem.textContent = '';
    beside.set({ model: id, pending: `Loading ${card.title} …` });
    try {
      const [planes, codes] = await patiently(
        () => Promise.all([api.planes(id, signal), api.codes(id, signal)]),
        { signal, onWait: (seconds) => beside.set({ pending: `The server makes room; again in ${seconds} s …` }) },
      );
      if (signal.aborted) return;
      const atlas = createAtlas(card, planes[0], codes);
      beside.set({ shown: card, atlas, planes, latent: null, framing: null, frame: null, pending: '' });
      twin.dataset.model = id;
      map.setAttribute('aria-label', `Latent plane of ${card.title}`);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      problem.textContent = error.message;
      beside.set({ model: '', pending: '' });
    }
  }

  function measure() {
    const { models, measures, shown } = page.get();
    const other = beside.get().shown;
    if (!shown || !other || models.length === 0) return;
    showScores(scores[0], measures, shown, other);
    showScores(scores[1], measures, other, shown);
  }

  /** @param {string} words */
  const complain = (words) => {
    problem.textContent = words;
  };

  const movers = new Map([
    [page, createMover(find(stage, '.map', HTMLElement), page)],
    [beside, createMover(map, beside)],
  ]);
  /** @type {(store: Store, foot: import('../map/camera.js').Point) => boolean} */
  const isFree = (store, foot) => {
    const mover = movers.get(store);
    mover?.measure();
    return !mover || mover.isFree(foot);
  };

  const ends = [
    ...[mountView, mountCanvas, mountRing, mountHand, mountKeys, mountHover, mountWhereabouts, mountSlice, mountLive].map(
      (part) => part(twin, beside, api),
    ),
    mountHead(twin, page, beside, api),
    mountThrows(find(stage, '.map', HTMLElement), page, page, api, (n) => showStrays(scores[0], n, THROWN), complain),
    mountThrows(map, page, beside, api, (n) => showStrays(scores[1], n, THROWN), complain),
    bind(page, beside, isFree),
    page.watch(['layers', 'digits'], (state) => beside.set({ layers: state.layers, digits: state.digits })),
    page.watch(['measures', 'shown'], measure),
    beside.watch(['shown'], measure),
    page.watch(['twin', 'models'], () => void load()),
  ];
  return () => {
    request.abort();
    ends.forEach((end) => end());
    twin.remove();
    delete root.dataset.twin;
  };
}

/**
 * The second map, of another model. It has its own store, on which the same parts are mounted as on the page's store.
 *
 * Tests rely on `#second-map[data-model]`, the model that has loaded; `[data-image]`, the test image that both points
 * stand for; and `.sample-layer[data-samples]`, the number of samples shown.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { ApiError } from '../api.js';
import { createAtlas } from '../latent/atlas.js';
import { mount as mountFollowPoint } from '../latent/follow-point.js';
import { copyOf, find } from '../lib/dom.js';
import { retry, busyFor } from '../lib/retry.js';
import { mount as mountAnnouncer } from '../map/announcer.js';
import { mount as mountCanvas } from '../map/canvas.js';
import { mount as mountHover } from '../map/hover.js';
import { mount as mountImageLook } from '../map/image-look.js';
import { mount as mountKeyboardInput } from '../map/keyboard-input.js';
import { createPointMover } from '../map/move-point.js';
import { mount as mountPointerInput } from '../map/pointer-input.js';
import { mount as mountRing } from '../map/ring.js';
import { mount as mountViewport } from '../map/viewport.js';
import { INITIAL, createStore } from '../store.js';
import { mount as mountLiveDecode } from '../stream/live-decode.js';
import { whenBack } from '../stream/when-back.js';
import { mount as mountHeader } from './header.js';
import { SAMPLES, mount as mountPriorSamples } from './prior-samples.js';
import { showScores, showStrays } from './scores.js';
import { syncMaps } from './sync.js';

/**
 * @param {HTMLElement} root
 * @param {Store} page
 * @param {Api} api
 * @returns {() => void}  closes the map
 */
export function mount(root, page, api) {
  const { layers, digits } = page.get();
  const second = createStore({ ...INITIAL, layers, digits, touched: true });
  const stage = find(root, 'main.stage', HTMLElement);
  const section = copyOf(root, '#second-map-template', HTMLElement);
  stage.after(section);
  root.dataset.compare = '';
  const header = find(section, '.compare-header', HTMLElement);
  const firstMap = find(stage, '.map', HTMLElement);
  const map = find(section, '.map', HTMLElement);
  const problem = find(header, '.problem', HTMLElement);
  /** Below the first map and below the second. */
  const scores = ['.first-scores', '.second-scores'].map((selector) => find(section, selector, HTMLElement));
  let request = new AbortController();

  async function load() {
    const { models, secondModel: id } = page.get();
    const card = models.find((one) => one.id === id);
    if (!card || second.get().model === id) return;
    request.abort();
    request = new AbortController();
    const { signal } = request;
    problem.textContent = '';
    second.set({ model: id, pending: `Loading ${card.title} …` });
    try {
      const [planes, codes] = await retry(
        () => Promise.all([api.planes(id, signal), api.codes(id, signal)]),
        { signal, onWait: (seconds) => second.set({ pending: busyFor(seconds) }) },
      );
      if (signal.aborted) return;
      const atlas = createAtlas(card, planes[0], codes);
      second.set({ shown: card, atlas, planes, latent: null, framing: null, frame: null, pending: '' });
      section.dataset.model = id;
      map.setAttribute('aria-label', `Latent plane of ${card.title}`);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      problem.textContent = error.message;
      second.set({ model: '', pending: '' });
    }
  }

  function showMeasures() {
    const { models, measures, shown } = page.get();
    const other = second.get().shown;
    if (!shown || !other || models.length === 0) return;
    showScores(scores[0], measures, shown, other);
    showScores(scores[1], measures, other, shown);
  }

  /** @param {string} text */
  const showProblem = (text) => {
    problem.textContent = text;
  };

  const movers = new Map([
    [page, createPointMover(firstMap, page)],
    [second, createPointMover(map, second)],
  ]);
  /** @type {(store: Store, foot: import('../latent/box.js').Point) => boolean} */
  const isFree = (store, foot) => {
    const mover = movers.get(store);
    mover?.measure();
    return !mover || mover.isFree(foot);
  };

  const ends = [
    ...[
      mountImageLook, mountViewport, mountCanvas, mountRing, mountPointerInput, mountKeyboardInput, mountHover, mountAnnouncer,
      mountFollowPoint, mountLiveDecode,
    ].map((mountPart) => mountPart(section, second, api)),
    mountHeader(section, page, second, api),
    mountPriorSamples(firstMap, page, page, api, (n) => showStrays(scores[0], n, SAMPLES), showProblem),
    mountPriorSamples(map, page, second, api, (n) => showStrays(scores[1], n, SAMPLES), showProblem),
    syncMaps(page, second, isFree),
    page.watch(['layers', 'digits'], (state) => second.set({ layers: state.layers, digits: state.digits })),
    page.watch(['measures', 'shown'], showMeasures),
    second.watch(['shown'], showMeasures),
    page.watch(['secondModel', 'models'], () => void load()),
    whenBack(page, () => void load()),
  ];
  return () => {
    request.abort();
    ends.forEach((end) => end());
    section.remove();
    delete root.dataset.compare;
  };
}

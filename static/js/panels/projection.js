/**
 * A projection of a latent space of more than two dimensions: all codes in one picture, on which the point can be moved.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../api.js').Projection} Projection
 * @typedef {import('../latent/plane.js').Latent} Latent
 * @typedef {import('../latent/projection.js').Place} Place
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { ApiError } from '../api.js';
import { fitted, latentAtPlace, placeOfLatent } from '../latent/projection.js';
import { find } from '../lib/dom.js';
import { contextOf } from '../lib/pixels.js';
import { busyFor, retry } from '../lib/retry.js';
import { watchTheme } from '../lib/theme.js';
import { whenBack } from '../stream/when-back.js';

/** Pixels of the picture, which is shown about half as large, and of a dot. */
const SIDE = 640;
const DOT = 3;
/** Opacity of codes whose labels are not among the chosen ones. */
const FAINT = 0.12;
/** An arrow key moves the point by this share of the side; with Shift, by a tenth of it. */
const KEY_STEP = 0.02;
/** @type {Readonly<Record<string, Place>>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** What opens first; where a model lacks it, its first. */
const FIRST = 'tsne';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const details = find(root, '#projection', HTMLDetailsElement);
  const select = find(details, 'select', HTMLSelectElement);
  const picture = find(details, '.projection', HTMLElement);
  const canvas = find(picture, 'canvas', HTMLCanvasElement);
  const mark = find(picture, 'i', HTMLElement);
  const about = find(details, '[data-part="about"]', HTMLElement);
  const none = find(details, '[data-part="none"]', HTMLElement);
  const problem = find(details, '.problem', HTMLElement);
  Object.assign(canvas, { width: SIDE, height: SIDE });
  const listeners = new AbortController();
  let request = new AbortController();
  let requested = '';
  /** @type {readonly Projection[]} */
  let listed = [];
  /** The places of the codes in the picture; null: none have loaded. @type {Float32Array | null} */
  let places = null;
  /** @type {Theme | null} */
  let theme = null;
  /** Where the point is in the picture. @type {Place} */
  let place = [0.5, 0.5];
  /** The latent that was set from here. @type {Latent | null} */
  let own = null;

  async function load() {
    const { atlas, model, panel, projection } = store.get();
    details.hidden = !atlas || atlas.card.latent_dim === 2;
    if (details.open !== (projection !== '')) details.open = projection !== '';
    if (!atlas || details.hidden || atlas.card.id !== model || panel !== 'point' || !projection) return;
    const wanted = `${atlas.card.sha256} ${projection}`;
    if (wanted === requested) return;
    request.abort();
    request = new AbortController();
    const { signal } = request;
    requested = wanted;
    const patience = { signal, onWait: (/** @type {number} */ seconds) => (problem.textContent = busyFor(seconds)) };
    try {
      listed = (await retry(() => api.projections(model, signal), patience)).projections;
      if (signal.aborted) return;
      const chosen = listed.find(({ id }) => id === projection) ?? listed.at(0);
      select.replaceChildren(...listed.map(({ id, title }) => new Option(title, id, false, id === chosen?.id)));
      none.hidden = listed.length > 0;
      select.hidden = picture.hidden = about.hidden = !none.hidden;
      if (!chosen) return;
      const found = await retry(() => api.projection(model, chosen.id, signal), patience);
      if (signal.aborted) return;
      problem.textContent = '';
      about.textContent = `A projection: places between codes are estimates. ${chosen.about}`;
      places = fitted(found);
      paint();
      own = null;
      follow();
      picture.dataset.shown = `${model} ${chosen.id}`;
    } catch (error) {
      if (!(error instanceof ApiError) || signal.aborted) return;
      problem.textContent = error.message;
      requested = '';
    }
  }

  function paint() {
    const { atlas, digits } = store.get();
    if (!atlas || !places || !theme || !details.open) return;
    const { labels } = atlas.codes;
    const context = contextOf(canvas);
    context.clearRect(0, 0, SIDE, SIDE);
    for (let i = 0; i < Math.min(labels.length, places.length / 2); i++) {
      context.globalAlpha = digits && !(digits & (1 << labels[i])) ? FAINT : 0.8;
      context.fillStyle = theme.digits[labels[i] % theme.digits.length];
      context.fillRect(places[2 * i] * SIDE - DOT / 2, places[2 * i + 1] * SIDE - DOT / 2, DOT, DOT);
    }
  }

  /** Show where the point is, if it was moved by something else. */
  function follow() {
    const { atlas, latent, panel } = store.get();
    if (!atlas || !places || !latent || latent === own || !details.open || panel !== 'point') return;
    if (latent.length !== atlas.codes.dim || places.length !== 2 * atlas.codes.count) return;
    own = latent;
    place = placeOfLatent(places, atlas.codes, latent);
    showMark();
  }

  function showMark() {
    mark.style.left = `${100 * place[0]}%`;
    mark.style.top = `${100 * place[1]}%`;
  }

  /** @type {(x: number, y: number, movedAt: number) => void} */
  function moveTo(x, y, movedAt) {
    const { atlas } = store.get();
    if (!atlas || !places || places.length !== 2 * atlas.codes.count) return;
    place = [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y))];
    own = latentAtPlace(places, atlas.codes, place);
    showMark();
    store.set({ latent: own, movedAt, touched: true, playing: false });
  }

  /** @param {PointerEvent} event */
  function drag(event) {
    if (event.type === 'pointerdown') canvas.setPointerCapture(event.pointerId);
    else if (!canvas.hasPointerCapture(event.pointerId)) return;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    moveTo((event.clientX - left) / width, (event.clientY - top) / height, event.timeStamp);
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const arrow = ARROWS[event.key];
    if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const step = event.shiftKey ? KEY_STEP / 10 : KEY_STEP;
    moveTo(place[0] + arrow[0] * step, place[1] + arrow[1] * step, event.timeStamp);
  }

  function toggle() {
    const { projection } = store.get();
    if (details.open !== (projection !== '')) store.set({ projection: details.open ? FIRST : '' });
  }

  const { signal } = listeners;
  details.addEventListener('toggle', toggle, { signal });
  select.addEventListener('change', () => store.set({ projection: select.value }), { signal });
  canvas.addEventListener('pointerdown', drag, { signal });
  canvas.addEventListener('pointermove', drag, { signal });
  canvas.addEventListener('keydown', key, { signal });
  const ends = [
    watchTheme((read) => {
      theme = read;
      paint();
    }),
    store.watch(['atlas', 'model', 'panel', 'projection'], () => void load()),
    store.watch(['latent', 'atlas', 'panel'], follow),
    store.watch(['digits'], paint),
    whenBack(store, () => void load()),
  ];
  return () => {
    request.abort();
    listeners.abort();
    ends.forEach((end) => end());
  };
}

/**
 * One attribute of the image at hand: a choice of labels and factors, and a slider that moves the point along the
 * direction of the chosen one.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../api.js').Attributes} Attributes
 * @typedef {import('../api.js').Direction} Direction
 * @typedef {import('../latent/direction.js').Along} Along
 * @typedef {import('../latent/plane.js').Latent} Latent
 */
import { ApiError } from '../api.js';
import {
  amountText,
  attributeOfLabel,
  describeDirection,
  movedAlong,
  rangeAlong,
} from '../latent/direction.js';
import { labelsOf } from '../latent/labels.js';
import { find } from '../lib/dom.js';
import { busyFor, retry } from '../lib/retry.js';
import { whenBack } from '../stream/when-back.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const panel = find(root, '#directions', HTMLElement);
  const select = find(panel, '#attribute', HTMLSelectElement);
  const slider = find(panel, '#amount', HTMLInputElement);
  const controls = find(panel, '[data-part="controls"]', HTMLElement);
  const shown = find(panel, '[data-part="amount"]', HTMLElement);
  const about = find(panel, '[data-part="about"]', HTMLElement);
  const none = find(panel, '[data-part="none"]', HTMLElement);
  const back = find(panel, '#amount-back', HTMLButtonElement);
  const problem = find(panel, '.problem', HTMLElement);
  let request = new AbortController();
  /** The hash of the model's weights that `attributes` belongs to. */
  let requested = '';
  /** @type {Attributes | null} */
  let attributes = null;
  /** By attribute, of the same model. @type {Map<string, Direction>} */
  const directions = new Map();
  /** The latest state that has been taken account of. @type {{along: Along | null, latent: Latent | null}} */
  let seen = { along: null, latent: null };
  /** The point without what the slider adds. @type {Latent | null} */
  let start = null;

  /** @type {() => Attributes['factors'][number] | undefined} */
  const chosenFactor = () => attributes?.factors.find(({ id }) => id === select.value);
  const direction = () => directions.get(select.value);

  async function load() {
    const { panel: open, atlas, model } = store.get();
    if (open !== 'vary' || !atlas || atlas.card.id !== model || requested === atlas.card.sha256) return;
    const { id, sha256 } = atlas.card;
    request.abort();
    request = new AbortController();
    const { signal } = request;
    requested = sha256;
    attributes = null;
    directions.clear();
    await tell(signal, async () => {
      const found = await retry(() => api.attributes(id, signal), { signal, onWait });
      if (signal.aborted) return;
      attributes = found;
      fill();
      await loadDirection();
    });
  }

  async function loadDirection() {
    const { signal } = request;
    const { along, atlas } = store.get();
    if (!attributes || !atlas || !select.options.length) return;
    if (along && [...select.options].some(({ value }) => value === along.attribute)) select.value = along.attribute;
    const attribute = select.value;
    show();
    if (directions.has(attribute)) return;
    await tell(signal, async () => {
      const found = await retry(() => api.direction(atlas.card.id, attribute, signal), { signal, onWait });
      if (signal.aborted) return;
      directions.set(attribute, found);
      show();
    });
  }

  /** @param {number} seconds */
  function onWait(seconds) {
    problem.textContent = busyFor(seconds);
  }

  /** @type {(signal: AbortSignal, task: () => Promise<void>) => Promise<void>} */
  async function tell(signal, task) {
    try {
      await task();
      if (!signal.aborted) problem.textContent = '';
    } catch (error) {
      if (!(error instanceof ApiError) || signal.aborted) return;
      problem.textContent = error.message;
      requested = '';
    }
  }

  function fill() {
    const { atlas } = store.get();
    if (!attributes || !atlas) return;
    const words = labelsOf(atlas.card.dataset);
    const groups = /** @type {[string, [string, string][]][]} */ ([
      ['Measured on the images', attributes.factors.map(({ id, title }) => [id, title])],
      ['More like', attributes.labels.map((label) => [attributeOfLabel(label), words[label]?.one ?? `${label}`])],
    ]);
    select.replaceChildren(...groups.filter(([, options]) => options.length).map(([title, options]) => {
      const group = document.createElement('optgroup');
      group.label = title;
      group.append(...options.map(([value, name]) => new Option(name, value)));
      return group;
    }));
    none.hidden = select.options.length > 0;
    controls.hidden = !none.hidden;
  }

  /** Show the slider of the chosen direction where the state says that it is. */
  function show() {
    const found = direction();
    slider.disabled = !found;
    about.textContent = '';
    if (!found) return;
    const { along, latent } = store.get();
    const factor = chosenFactor();
    const range = rangeAlong(found);
    const amount = along?.attribute === select.value ? along.amount : 0;
    start = latent && movedAlong(latent, found.direction, -amount);
    seen = { along, latent };
    Object.assign(slider, { min: `${-range.most}`, max: `${range.most}`, step: `${range.step}` });
    slider.value = `${amount}`;
    write(amount);
    about.textContent = describeDirection(found, select.selectedOptions[0].text, factor);
  }

  /** @param {number} amount */
  function write(amount) {
    const found = direction();
    if (!found) return;
    const text = amountText(amount, rangeAlong(found), chosenFactor()?.unit ?? null);
    shown.textContent = text;
    slider.setAttribute('aria-valuetext', text);
    back.disabled = amount === 0;
  }

  /** @param {number} amount */
  function move(amount) {
    const found = direction();
    if (!found || !start) return;
    seen = { along: { attribute: select.value, amount }, latent: movedAlong(start, found.direction, amount) };
    store.set({ ...seen, movedAt: performance.now(), touched: true, playing: false });
    slider.value = `${amount}`;
    write(amount);
  }

  function choose() {
    store.set({ along: { attribute: select.value, amount: 0 } });
  }

  /** The slider adds nothing to a point that was moved by something else. */
  function follow() {
    const { along, latent } = store.get();
    if (along === seen.along && latent === seen.latent) return;
    const isOnlyMoved = along === seen.along && seen.latent !== null;
    seen = { along, latent };
    if (isOnlyMoved && along?.amount) store.set({ along: { ...along, amount: 0 } });
    else if (isOnlyMoved) start = latent;
    else void loadDirection();
  }

  const slide = () => move(slider.valueAsNumber);
  const reset = () => {
    move(0);
    slider.focus();
  };
  select.addEventListener('change', choose);
  slider.addEventListener('input', slide);
  back.addEventListener('click', reset);
  const ends = [
    store.watch(['atlas', 'panel', 'model'], () => void load()),
    store.watch(['latent', 'along'], follow),
    whenBack(store, () => void load()),
  ];
  return () => {
    request.abort();
    select.removeEventListener('change', choose);
    slider.removeEventListener('input', slide);
    back.removeEventListener('click', reset);
    ends.forEach((end) => end());
  };
}

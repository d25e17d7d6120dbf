/**
 * A sheet of images: a row for each number of the latent, in which that number alone moves about the point. One of them
 * can be taken for the point.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../api.js').Traversal} Traversal
 * @typedef {import('../latent/plane.js').Latent} Latent
 */
import { ApiError } from '../api.js';
import { copyOf, find, findAll } from '../lib/dom.js';
import { dataUrl } from '../lib/pixels.js';
import { busyFor, retry } from '../lib/retry.js';
import { whenBack } from '../stream/when-back.js';

/** The sheet is decoded once the point has rested this long. */
const REST_MILLISECONDS = 150;
const STEPS = 7;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const section = find(root, '#traversals', HTMLElement);
  const about = find(section, '[data-part="about"]', HTMLElement);
  const problem = find(section, '.problem', HTMLElement);
  const folded = find(section, 'details', HTMLDetailsElement);
  const summary = find(folded, 'summary', HTMLElement);
  const lists = { inUse: find(section, '#in-use', HTMLElement), others: find(folded, '#not-in-use', HTMLElement) };
  let request = new AbortController();
  let timer = 0;
  /** The model and the latent that the sheet shows, or will. */
  let requested = '';
  /** The latent that it shows. @type {Latent | null} */
  let centre = null;

  function plan() {
    const { panel, atlas, model, latent } = store.get();
    clearTimeout(timer);
    if (panel !== 'vary' || !atlas || atlas.card.id !== model || latent?.length !== atlas.card.latent_dim) return;
    const wanted = JSON.stringify([atlas.card.sha256, latent, folded.open]);
    if (wanted === requested) return;
    timer = setTimeout(() => void load(atlas.card.id, latent, wanted), centre ? REST_MILLISECONDS : 0);
  }

  /** @type {(model: string, latent: Latent, wanted: string) => Promise<void>} */
  async function load(model, latent, wanted) {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    requested = wanted;
    const patience = { signal, onWait: (/** @type {number} */ seconds) => (problem.textContent = busyFor(seconds)) };
    /** @type {(dimensions?: readonly number[]) => Promise<Traversal>} */
    const ask = (dimensions) => retry(() => api.traverse(model, latent, STEPS, dimensions, signal), patience);
    try {
      const found = await ask();
      const { inactive } = found;
      const isNoneInUse = inactive.length >= latent.length;
      const rest = folded.open && inactive.length && !isNoneInUse ? await ask(inactive) : null;
      if (signal.aborted) return;
      problem.textContent = '';
      centre = latent;
      fill(lists.inUse, found);
      if (rest) fill(lists.others, rest);
      folded.hidden = !inactive.length || isNoneInUse;
      summary.textContent = `${inactive.length} not in use: ${inactive.map((i) => `z${i + 1}`).join(', ')}`;
      about.textContent = aboutOf(found, isNoneInUse);
      section.dataset.latent = latent.join(',');
    } catch (error) {
      if (!(error instanceof ApiError) || signal.aborted) return;
      problem.textContent = error.message;
      requested = '';
    }
  }

  /** Show rows in the elements that there are, so that the focus stays. @type {(list: HTMLElement, found: Traversal) => void} */
  function fill(list, { dimensions, offsets, activity, measure, images }) {
    while (list.children.length > dimensions.length) list.lastElementChild?.remove();
    while (list.children.length < dimensions.length) list.append(newRow());
    findAll(list, '[role="radiogroup"]', HTMLElement).forEach((row, r) => {
      const number = dimensions[r];
      row.dataset.dimension = `${number}`;
      find(row, '[data-part="name"]', HTMLElement).textContent = `z${number + 1}`;
      find(row, '[data-part="activity"]', HTMLElement).textContent = activity[r].toPrecision(3);
      row.ariaLabel = `z${number + 1}`;
      row.title = measure === 'kl' ? `${activity[r].toFixed(2)} nats` : `variance ${activity[r].toPrecision(3)}`;
      findAll(row, 'label', HTMLLabelElement).forEach((cell, step) => {
        const choice = find(cell, 'input', HTMLInputElement);
        const offset = offsets[r][step];
        Object.assign(choice, { name: `traversal-${number}`, value: `${offset}`, checked: offset === 0 });
        choice.ariaLabel = offset === 0 ? `z${number + 1} as it is` : `z${number + 1} ${signed(offset)}`;
        find(cell, 'img', HTMLImageElement).src = dataUrl(images[r * STEPS + step]);
      });
    });
  }

  function newRow() {
    const row = copyOf(section, '#traversal-row', HTMLElement);
    const cells = Array.from({ length: STEPS }, () => copyOf(section, '#traversal-cell', HTMLLabelElement));
    find(row, '.frames', HTMLElement).append(...cells);
    return row;
  }

  /** @param {Event} event */
  function take({ target }) {
    if (!(target instanceof HTMLInputElement) || !centre) return;
    if (centre.length !== store.get().latent?.length) return; // another model is loading
    const row = target.closest('[role="radiogroup"]');
    const number = Number(row?.getAttribute('data-dimension'));
    const latent = centre.map((z, i) => (i === number ? z + Number(target.value) : z));
    store.set({ latent, movedAt: performance.now(), touched: true, playing: false });
  }

  section.addEventListener('change', take);
  folded.addEventListener('toggle', plan);
  const ends = [
    store.watch(['latent', 'atlas', 'panel', 'model'], plan),
    whenBack(store, plan),
  ];
  return () => {
    clearTimeout(timer);
    request.abort();
    section.removeEventListener('change', take);
    folded.removeEventListener('toggle', plan);
    Object.values(lists).forEach((list) => list.replaceChildren());
    ends.forEach((end) => end());
  };
}

/** @type {(offset: number) => string} */
const signed = (offset) => `${offset < 0 ? '−' : '+'}${+Math.abs(offset).toFixed(2)}`;

/** @type {(found: Traversal, isNoneInUse: boolean) => string} */
function aboutOf({ measure }, isNoneInUse) {
  const activity = measure === 'kl' ? 'its KL in nats' : 'the variance of its codes';
  const rows = `In each row one number moves by up to three standard deviations either way. Beside it: ${activity}.`;
  return isNoneInUse ? `The decoder ignores every number of this model’s latent. ${rows}` : rows;
}

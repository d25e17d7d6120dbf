/**
 * Fetches the models once, and the chosen one's plane and codes whenever the choice changes. What is shown stays
 * until the next has arrived, so nothing stands still while the server loads a model.
 *
 * @typedef {import('./store.js').Store} Store
 * @typedef {import('./store.js').State} State
 * @typedef {import('./api.js').Api} Api
 * @typedef {import('./api.js').Card} Card
 * @typedef {import('./latent/atlas.js').Atlas} Atlas
 * @typedef {import('./latent/plane.js').Latent} Latent
 */
import { Refusal } from './api.js';
import { codeOf, createAtlas, nearestFoot } from './latent/atlas.js';
import { contains } from './map/camera.js';
import { roundTrip } from './map/idle-tour.js';
import { find } from './lib/dom.js';
import { groupsOf, hasPlane } from './latent/model-groups.js';
import { isNamed, learn } from './latent/labels.js';
import { patiently } from './lib/retry.js';
import { footOf, latentAt } from './latent/plane.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const notice = find(root, '#notice', HTMLElement);
  const message = find(notice, 'p', HTMLElement);
  const again = find(notice, '#try-again', HTMLButtonElement);
  const back = find(notice, '#go-back', HTMLButtonElement);
  let request = new AbortController();

  async function load() {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    notice.hidden = true;
    try {
      await (store.get().models.length === 0 ? loadModels() : loadChosen(signal));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      message.textContent = error.message;
      back.hidden = !store.get().shown;
      notice.hidden = false;
      store.set({ pending: '' });
    }
  }

  async function loadModels() {
    const answer = await api.models();
    const { model, strange } = store.get();
    const isKnown = answer.models.some(({ id }) => id === model);
    void loadMeasures();
    if (!answer.models.every(({ dataset }) => isNamed(dataset))) learn(await api.datasets());
    // The choice of a model calls `load` again.
    store.set({
      models: answer.models,
      groups: groupsOf(answer),
      device: answer.device,
      defaultModel: answer.default,
      model: isKnown ? model : answer.default,
      strange: isKnown || !model ? strange : [...strange, `model=${model}`],
    });
  }

  async function loadMeasures() {
    try {
      store.set({ measures: await api.measures() });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error; // The page is whole without them.
    }
  }

  /** @param {AbortSignal} signal */
  async function loadChosen(signal) {
    const { models, model, shown } = store.get();
    const card = models.find(({ id }) => id === model);
    if (!card) return store.set({ pending: '' });
    if (shown?.id === model) return loadPlane(signal);
    store.set({ pending: `Loading ${card.title} …` });
    const { addressed, framing: first, plane: named } = store.get();
    // The address frames a part of one model; any other has a plane of its own.
    const framing = addressed ? addressed.framing : shown ? null : first;
    const name = addressed ? addressed.plane : shown ? '' : named;
    const fresh = { shown: card, pending: '', framing, addressed: null, posterior: null, route: null, movedAt: 0 };
    if (!hasPlane(card)) return store.set({ ...fresh, atlas: null, planes: [], plane: '', frame: null, playing: false });
    const [planes, codes, asked] = await patiently(
      () => Promise.all([api.planes(model, signal), api.codes(model, signal), name && planeOr(null, name, signal)]),
      { signal, onWait: (seconds) => store.set({ pending: `The server makes room; again in ${seconds} s …` }) },
    );
    if (signal.aborted) return;
    const atlas = createAtlas(card, asked || planes[0], codes);
    store.set({ planes, plane: asked ? name : '' });
    const there = addressed?.latent?.length === card.latent_dim ? addressed.latent : null;
    store.set({ ...fresh, atlas, latent: there ?? arrival(atlas, store.get()), frame: null });
  }

  /**
   * Another plane of the model that is shown: the point moves to its foot there.
   *
   * @param {AbortSignal} signal
   */
  async function loadPlane(signal) {
    const { atlas, planes, plane: name, latent } = store.get();
    store.set({ pending: '' });
    const wanted = name || planes[0]?.id;
    if (!atlas || !latent || atlas.base.id === wanted) return;
    const plane = planes.find(({ id }) => id === wanted) ?? (await planeOr(atlas.base, wanted, signal));
    if (signal.aborted || !plane || plane === atlas.base) return;
    const next = createAtlas(atlas.card, plane, atlas.codes);
    store.set({ atlas: next, latent: latentAt(plane, footOf(plane, latent)), framing: null, movedAt: 0 });
  }

  /**
   * The plane of a name; where there is none, another one, and a remark.
   *
   * @template T
   * @param {T} other
   * @param {string} name
   * @param {AbortSignal} signal
   */
  async function planeOr(other, name, signal) {
    try {
      return await api.plane(store.get().model, name, signal);
    } catch (error) {
      if (!(error instanceof Refusal) || error.retryAfter !== null) throw error;
      store.set({ plane: '', strange: [...store.get().strange, `plane=${name.slice(0, 40)}`] });
      return other;
    }
  }

  const keep = () => {
    const { shown, model } = store.get();
    store.set({ model: shown?.id ?? model });
  };
  again.addEventListener('click', load);
  back.addEventListener('click', keep);
  const unwatch = store.watch(['model', 'models', 'plane'], () => void load());
  return () => {
    request.abort();
    again.removeEventListener('click', load);
    back.removeEventListener('click', keep);
    unwatch();
  };
}

/**
 * Where to arrive in a model: at the address' latent, or the point that the visitor chose if it is in sight there
 * too; else at the same test image as in the model before; else at one of the labels.
 *
 * @param {Atlas} atlas
 * @param {Readonly<State>} state  of the model before
 * @returns {Latent}
 */
export function arrival(atlas, { atlas: before, shown, latent, touched }) {
  const isIn = latent?.length === atlas.card.latent_dim;
  if (latent && isIn && !shown) return latent;
  if (latent && isIn && touched && latent.length === 2 && contains(atlas.view, footOf(atlas.plane, latent))) {
    return latent;
  }
  if (before && latent && touched && before.card.dataset === atlas.card.dataset) {
    const image = nearestFoot(before, footOf(before.plane, latent));
    return latentAt(atlas.plane, footOf(atlas.plane, codeOf(atlas, image)));
  }
  const [first] = roundTrip(atlas.landmarks.map(({ point }) => point));
  return latentAt(atlas.plane, first ?? { u: 0, v: 0 });
}

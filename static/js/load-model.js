/**
 * Fetches the list of models, and the chosen model's plane and codes whenever the choice changes. The page keeps
 * showing the previous model until the next has loaded, so it stays usable meanwhile. While the chosen model is still
 * trained, the list is fetched again and again, and each new state of the model is shown.
 *
 * @typedef {import('./store.js').Store} Store
 * @typedef {import('./store.js').State} State
 * @typedef {import('./api.js').Api} Api
 * @typedef {import('./latent/atlas.js').Atlas} Atlas
 * @typedef {import('./latent/plane.js').Latent} Latent
 */
import { ApiError } from './api.js';
import { codeOf, createAtlas, createBareAtlas, nearestFoot, withLandmarks } from './latent/atlas.js';
import { contains } from './latent/box.js';
import { addDatasets, isKnownDataset } from './latent/labels.js';
import { groupsOf, hasPlane, isInTraining } from './latent/model-groups.js';
import { footOf, latentAt } from './latent/plane.js';
import { breath } from './lib/breath.js';
import { find, hide } from './lib/dom.js';
import { retry, busyFor } from './lib/retry.js';
import { roundTrip } from './map/idle-tour.js';
import { whenBack } from './stream/when-back.js';

/** A page that opens shows this many codes before it asks for the others; its HTML names the same number. */
const FIRST_CODES = 1500;
/** Between two looks at a model that is still trained. */
const RENEWAL_MILLISECONDS = 2000;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const chooser = find(root, '#choose-model', HTMLElement);
  const notice = find(root, '#notice', HTMLElement);
  const message = find(notice, 'p', HTMLElement);
  const again = find(notice, '#try-again', HTMLButtonElement);
  const back = find(notice, '#go-back', HTMLButtonElement);
  let request = new AbortController();
  let timer = 0;

  async function load() {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    hide(notice, chooser);
    try {
      await (store.get().models.length === 0 ? loadModels(signal) : loadChosen(signal));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      message.textContent = error.message;
      back.hidden = !store.get().shown;
      notice.hidden = false;
      store.set({ pending: '' });
    }
  }

  /** @param {AbortSignal} [signal] */
  async function loadModels(signal) {
    const answer = await retry(api.models, { signal });
    const { models: before, model, unknownParts } = store.get();
    if (JSON.stringify(answer.models) === JSON.stringify(before)) return;
    const isKnown = answer.models.some(({ id }) => id === model);
    void loadMeasures();
    if (!answer.models.every(({ dataset }) => isKnownDataset(dataset))) addDatasets(await retry(api.datasets, { signal }));
    // Setting `model` calls `load` again.
    store.set({
      models: answer.models,
      groups: groupsOf(answer),
      device: answer.device,
      defaultModel: answer.default,
      model: isKnown ? model : answer.default,
      unknownParts: isKnown || !model ? unknownParts : [...unknownParts, `model=${model}`],
    });
  }

  async function renew() {
    try {
      await loadModels();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // the server of the finished model takes over meanwhile
    }
    planRenewal();
  }

  function planRenewal() {
    clearTimeout(timer);
    const { models, model } = store.get();
    const card = models.find(({ id }) => id === model);
    if (card && isInTraining(card)) timer = setTimeout(renew, RENEWAL_MILLISECONDS);
  }

  async function loadMeasures() {
    try {
      store.set({ measures: await retry(api.measures) });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // The page works without measures.
    }
  }

  /** @param {AbortSignal} signal */
  async function loadChosen(signal) {
    const { models, model, shown } = store.get();
    const card = models.find(({ id }) => id === model);
    if (!card) return store.set({ pending: '' });
    if (shown === card) return loadPlane(signal);
    const isRenewed = shown?.id === model;
    store.set({ pending: `Loading ${card.title} …` });
    const { pendingView, framing: current, plane: planeName } = store.get();
    // Framing and plane, of the URL or the visitor, apply to one model only.
    const isOther = shown && !isRenewed;
    const framing = pendingView ? pendingView.framing : isOther ? null : current;
    const name = pendingView ? pendingView.plane : isOther ? '' : planeName;
    const fresh = {
      shown: card,
      pending: '',
      framing,
      pendingView: null,
      posterior: null,
      pathLatents: null,
      movedAt: 0,
    };
    if (!hasPlane(card)) return store.set({ ...fresh, atlas: null, planes: [], plane: '', frame: null, playing: false });
    const patience = { signal, onWait: (/** @type {number} */ seconds) => store.set({ pending: busyFor(seconds) }) };
    const some = shown ? undefined : FIRST_CODES;
    const [planes, codes, named] = await retry(
      () => Promise.all([api.planes(model, signal), api.codes(model, signal, some), name && planeOr(null, name, signal)]),
      patience,
    );
    await breath();
    if (signal.aborted) return;
    const there = pendingView?.latent?.length === card.latent_dim ? pendingView.latent : null;
    let bare = createBareAtlas(card, named || planes[0], codes);
    if (some) {
      store.set({ atlas: bare, framing });
      const all = await retry(() => api.codes(model, signal), patience);
      await breath();
      if (signal.aborted) return;
      bare = createBareAtlas(card, bare.base, all);
      fresh.framing = store.get().framing; // the visitor may have zoomed meanwhile
    }
    await breath();
    if (signal.aborted) return;
    const atlas = withLandmarks(bare);
    await breath();
    if (signal.aborted) return;
    store.set({ planes, plane: named ? name : '' });
    store.set({ ...fresh, atlas, latent: there ?? arrivalLatent(atlas, store.get()), frame: null });
  }

  /**
   * Load another plane of the shown model; the point moves to its foot there.
   *
   * @param {AbortSignal} signal
   */
  async function loadPlane(signal) {
    const { atlas, planes, plane: name, latent } = store.get();
    store.set({ pending: '' });
    const wanted = name || planes[0]?.id;
    if (!atlas || !latent || atlas.base.id === wanted) return;
    const plane = planes.find(({ id }) => id === wanted)
      ?? (await retry(() => planeOr(atlas.base, wanted, signal), { signal }));
    if (signal.aborted || !plane || plane === atlas.base) return;
    const next = createAtlas(atlas.card, plane, atlas.codes);
    store.set({ atlas: next, latent: latentAt(plane, footOf(plane, latent)), framing: null, movedAt: 0 });
  }

  /**
   * Return the plane of a name. If there is none, return `other` and note the name in `unknownParts`.
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
      if (!(error instanceof ApiError) || error.retryAfter !== null) throw error;
      store.set({ plane: '', unknownParts: [...store.get().unknownParts, `plane=${name.slice(0, 40)}`] });
      return other;
    }
  }

  /** Go back to the model and the plane that are shown. */
  function keep() {
    const { shown, model, atlas, planes, plane } = store.get();
    const base = atlas?.base.id;
    store.set({ model: shown?.id ?? model, plane: base ? (base === planes[0]?.id ? '' : base) : plane });
  }
  again.addEventListener('click', load);
  back.addEventListener('click', keep);
  const ends = [
    store.watch(['model', 'models', 'plane'], () => void load()),
    store.watch(['model', 'models'], planRenewal),
    whenBack(store, () => void (notice.hidden || load())),
  ];
  return () => {
    request.abort();
    clearTimeout(timer);
    again.removeEventListener('click', load);
    back.removeEventListener('click', keep);
    ends.forEach((end) => end());
  };
}

/**
 * Return where the point is when a model arrives: the URL's latent, or the visitor's point if it lies in the new
 * view; else the code of the test image that was nearest in the previous model; else a landmark.
 *
 * @param {Atlas} atlas
 * @param {Readonly<State>} state  with the previous model's atlas
 * @returns {Latent}
 */
export function arrivalLatent(atlas, { atlas: before, shown, latent, touched }) {
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

/**
 * Fetches the models once, and the chosen one's plane and codes whenever the choice changes.
 *
 * @typedef {import('./store.js').Store} Store
 * @typedef {import('./api.js').Api} Api
 * @typedef {import('./atlas.js').Atlas} Atlas
 * @typedef {import('./plane.js').Latent} Latent
 */
import { Refusal } from './api.js';
import { codeOf, createAtlas, nearestFoot } from './atlas.js';
import { roundTrip } from './drift.js';
import { find } from './elements.js';
import { footOf, latentAt } from './plane.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const notice = find(root, '#notice', HTMLElement);
  const message = find(notice, 'p', HTMLElement);
  const again = find(notice, 'button', HTMLButtonElement);
  let request = new AbortController();

  async function load() {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    notice.hidden = true;
    try {
      if (store.get().models.length === 0) {
        const answer = await api.models();
        const isKnown = answer.models.some(({ id }) => id === store.get().model);
        store.set({
          models: answer.models,
          device: answer.device,
          model: isKnown ? store.get().model : answer.default,
        });
        return; // the choice of a model has called this again
      }
      const { models, model, atlas: before } = store.get();
      const card = models.find(({ id }) => id === model);
      if (!card || before?.card.id === model) return;
      const [planes, codes] = await Promise.all([api.planes(model, signal), api.codes(model, signal)]);
      if (signal.aborted) return;
      const atlas = createAtlas(card, planes[0], codes);
      store.set({ atlas, latent: arrival(atlas), posterior: null, route: null, frame: null, movedAt: 0 });
    } catch (error) {
      if (!(error instanceof Refusal)) {
        if (signal.aborted) return;
        throw error;
      }
      message.textContent = error.message;
      notice.hidden = false;
    }
  }

  /**
   * Where to arrive: at the address' latent, else at the same test image as in the model before, else at one
   * of the digits.
   *
   * @param {Atlas} atlas
   * @returns {Latent}
   */
  function arrival(atlas) {
    const { atlas: before, latent, touched } = store.get();
    if (!before && latent?.length === atlas.card.latent_dim) return latent;
    if (before && latent && touched && before.card.dataset === atlas.card.dataset) {
      const image = nearestFoot(before, footOf(before.plane, latent));
      return latentAt(atlas.plane, footOf(atlas.plane, codeOf(atlas, image)));
    }
    const [first] = roundTrip(atlas.landmarks.map(({ point }) => point));
    return latentAt(atlas.plane, first ?? { u: 0, v: 0 });
  }

  again.addEventListener('click', load);
  const unwatch = store.watch(['model', 'models'], () => void load());
  return () => {
    request.abort();
    again.removeEventListener('click', load);
    unwatch();
  };
}

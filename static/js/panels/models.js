/**
 * The chosen model: the button with its name, which opens the list, its summary, and whether it is still loading.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Card} Card
 */
import { kindOfModel } from '../latent/model-groups.js';
import { printed, printedElbo } from '../latent/nats.js';
import { find } from '../lib/dom.js';
import { mount as mountModelList } from './model-list.js';

/** A model that loads faster than this shows no message. */
const MESSAGE_DELAY_MILLISECONDS = 200;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const button = find(root, '#choose-model', HTMLButtonElement);
  const title = find(button, '[data-part="title"]', HTMLElement);
  const kind = find(button, '[data-part="kind"]', HTMLElement);
  const summary = find(root, '#model-summary', HTMLElement);
  const metrics = find(root, '#model-metrics', HTMLElement);
  const status = find(root, '#model-status', HTMLElement);
  let timer = 0;

  const ends = [
    mountModelList(root, store),
    store.watch(['model', 'models'], ({ model, models }) => {
      const card = models.find(({ id }) => id === model);
      button.dataset.model = model;
      title.textContent = card?.title ?? '…';
      kind.textContent = card ? kindOfModel(card) : '';
      summary.textContent = card?.summary ?? '';
      metrics.textContent = card ? metricsOf(card) : '';
    }),
    store.watch(['pending'], ({ pending }) => {
      clearTimeout(timer);
      const showPending = () => {
        button.toggleAttribute('data-pending', pending !== '');
        status.textContent = pending;
      };
      if (pending) timer = setTimeout(showPending, MESSAGE_DELAY_MILLISECONDS);
      else showPending();
    }),
  ];
  return () => {
    clearTimeout(timer);
    ends.forEach((end) => end());
  };
}

/** @type {(card: Card) => string} */
function metricsOf({ metrics }) {
  const grey = /** @type {Record<string, number | null>} */ (metrics.grey ?? {});
  if (typeof grey.reconstruction !== 'number') return '';
  const { reconstruction, kl, total } = printedElbo(grey.reconstruction, grey.kl);
  if (!total) return `Reconstruction ${reconstruction} nats an image; no KL, so no bound`;
  const sum = `ELBO ${total} = reconstruction ${reconstruction} − KL ${kl} nats an image`;
  const { elbo, encoder_elbo: alone } = grey;
  return typeof alone === 'number' && alone !== elbo ? `${sum}, refined on it; ${printed(alone)} by the encoder alone` : sum;
}

/**
 * The choice among the models, with what each says of itself.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Card} Card
 */
import { copyOf, find, findAll } from '../elements.js';
import { balance } from '../nats.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const choices = find(root, '#models', HTMLElement);
  const summary = find(root, '#model-summary', HTMLElement);
  const metrics = find(root, '#model-metrics', HTMLElement);

  const choose = () => {
    const chosen = findAll(choices, 'input', HTMLInputElement).find((input) => input.checked);
    if (chosen) store.set({ model: chosen.value, playing: false });
  };
  choices.addEventListener('change', choose);

  const ends = [
    store.watch(['models'], ({ models }) => {
      const labels = models.map((card) => {
        const label = copyOf(choices, 'template', HTMLLabelElement);
        find(label, 'input', HTMLInputElement).value = card.id;
        find(label, 'span', HTMLElement).textContent = shortName(card);
        label.title = card.title;
        return label;
      });
      findAll(choices, 'label', HTMLLabelElement).forEach((label) => label.remove());
      choices.append(...labels);
    }),
    store.watch(['model', 'models'], ({ model, models }) => {
      for (const input of findAll(choices, 'input', HTMLInputElement)) input.checked = input.value === model;
      const card = models.find(({ id }) => id === model);
      summary.textContent = card?.summary ?? '';
      metrics.textContent = card ? metricsOf(card) : '';
    }),
  ];
  return () => {
    choices.removeEventListener('change', choose);
    ends.forEach((end) => end());
  };
}

/** @type {(card: Card) => string} */
const shortName = ({ family, latent_dim: dim }) => `${family === 'ae' ? 'Autoencoder' : 'VAE'} ${dim}-D`;

/** @type {(card: Card) => string} */
function metricsOf({ metrics }) {
  const grey = /** @type {Record<string, number | null>} */ (metrics.grey ?? {});
  if (typeof grey.reconstruction !== 'number') return '';
  const { reconstruction, kl, total } = balance(grey.reconstruction, grey.kl);
  if (!total) return `Reconstruction ${reconstruction} nats an image; no KL, so no bound`;
  return `ELBO ${total} = reconstruction ${reconstruction} − KL ${kl} nats`;
}

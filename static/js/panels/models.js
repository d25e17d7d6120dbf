/**
 * The chosen model: the button with its name, which opens the list, its summary, and whether it is still loading.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { mapInWords } from '../latent/describe-map.js';
import { distinctTitle, kindOfModel } from '../latent/model-groups.js';
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
  const mapLine = find(root, '#map-line', HTMLElement);
  const status = find(root, '#model-status', HTMLElement);
  let timer = 0;

  const ends = [
    mountModelList(root, store),
    store.watch(['model', 'models'], ({ model, models, groups }) => {
      const card = models.find(({ id }) => id === model);
      button.dataset.model = model;
      title.textContent = card ? distinctTitle(card, groups) : '…';
      kind.textContent = card ? kindOfModel(card) : '';
      summary.textContent = card?.summary ?? '';
    }),
    store.watch(['atlas'], ({ atlas }) => (mapLine.textContent = atlas ? mapInWords(atlas) : '')),
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

/**
 * The Compare button opens and closes the second map. The modules of the second map are imported on first use.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { hasPlane } from '../latent/model-groups.js';
import { find } from '../lib/dom.js';
import { candidatesFor, partnerOf } from './pairs.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const button = find(root, '#compare', HTMLButtonElement);
  /** Closes the second map; null: it is closed. @type {(() => void) | null} */
  let close = null;
  let isWanted = false;
  let previous = '';

  /** The card of the chosen model, if it has a map that can be compared. */
  function comparableCard() {
    const { models, model } = store.get();
    const card = models.find(({ id }) => id === model);
    return card && hasPlane(card) ? card : undefined;
  }

  function toggle() {
    const { models, secondModel, defaultModel } = store.get();
    const card = comparableCard();
    if (card) store.set({ secondModel: secondModel ? '' : partnerOf(models, card, defaultModel)?.id ?? '' });
  }

  /** Keep the two models different: choosing the second map's model for the first swaps them. */
  function check() {
    const { models, model, secondModel, unknownParts } = store.get();
    const [before, card] = [previous, comparableCard()];
    previous = model;
    if (!secondModel || !models.length || !card) return;
    const others = candidatesFor(models, card);
    if (others.some(({ id }) => id === secondModel)) return;
    const isSwap = secondModel === model && others.some(({ id }) => id === before);
    if (isSwap) store.set({ secondModel: before });
    else store.set({ secondModel: '', unknownParts: [...unknownParts, `twin=${secondModel}`] });
  }

  async function show() {
    const { secondModel, shown } = store.get();
    const card = comparableCard();
    isWanted = secondModel !== '' && Boolean(card && shown && hasPlane(shown));
    button.hidden = !card;
    button.ariaExpanded = `${secondModel !== ''}`;
    if (isWanted && !close) {
      const { mount: open } = await import('./second-map.js');
      if (isWanted && !close) close = open(root, store, api);
    } else if (!isWanted && close) {
      const hadFocus = root.querySelector('#second-map')?.contains(document.activeElement);
      close();
      close = null;
      if (hadFocus) button.focus();
    }
  }

  button.addEventListener('click', toggle);
  const ends = [
    store.watch(['models', 'model', 'secondModel'], check),
    store.watch(['models', 'model', 'secondModel', 'shown'], () => void show()),
  ];
  return () => {
    button.removeEventListener('click', toggle);
    ends.forEach((end) => end());
    isWanted = false;
    close?.();
  };
}

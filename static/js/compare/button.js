/**
 * The button that lays another model's map beside the page's own. What that takes is fetched when it is asked for.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { find } from '../lib/dom.js';
import { hasPlane } from '../latent/model-groups.js';
import { candidatesFor, partnerOf } from './pairs.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const button = find(root, '#compare', HTMLButtonElement);
  /** Closes the map beside; null: there is none. @type {(() => void) | null} */
  let close = null;
  let isWanted = false;
  let before = '';

  /** The model at hand, if a map can lie beside its own. */
  function cardAtHand() {
    const { models, model } = store.get();
    const card = models.find(({ id }) => id === model);
    return card && hasPlane(card) ? card : undefined;
  }

  function toggle() {
    const { models, twin, defaultModel } = store.get();
    const card = cardAtHand();
    if (card) store.set({ twin: twin ? '' : partnerOf(models, card, defaultModel)?.id ?? '' });
  }

  /** Two maps of one model show nothing: whoever chooses the other's model swaps them. */
  function check() {
    const { models, model, twin, strange } = store.get();
    const [left, card] = [before, cardAtHand()];
    before = model;
    if (!twin || !models.length || !card) return;
    const others = candidatesFor(models, card);
    if (others.some(({ id }) => id === twin)) return;
    const isSwap = twin === model && others.some(({ id }) => id === left);
    if (isSwap) store.set({ twin: left });
    else store.set({ twin: '', strange: [...strange, `twin=${twin}`] });
  }

  async function show() {
    const { twin, shown } = store.get();
    const card = cardAtHand();
    isWanted = twin !== '' && Boolean(card && shown && hasPlane(shown));
    button.hidden = !card;
    button.ariaExpanded = `${twin !== ''}`;
    if (isWanted && !close) {
      const { mount: open } = await import('./second-map.js');
      if (isWanted && !close) close = open(root, store, api);
    } else if (!isWanted && close) {
      const hadFocus = root.querySelector('#twin')?.contains(document.activeElement);
      close();
      close = null;
      if (hadFocus) button.focus();
    }
  }

  button.addEventListener('click', toggle);
  const ends = [
    store.watch(['models', 'model', 'twin'], check),
    store.watch(['models', 'model', 'twin', 'shown'], () => void show()),
  ];
  return () => {
    button.removeEventListener('click', toggle);
    ends.forEach((end) => end());
    isWanted = false;
    close?.();
  };
}

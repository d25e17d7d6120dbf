/**
 * Shows the map, the ring and the image alone and large, as for a projector. A button in the dialog that shares the view
 * leads there; Escape and a button in the corner lead back.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { hasPlane } from '../latent/model-groups.js';
import { find } from '../lib/dom.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const map = find(root, '#map', HTMLElement);
  const dialog = find(root, '#save', HTMLElement);
  const enter = find(dialog, '#present', HTMLButtonElement);
  const leave = find(root, '#stop-presenting', HTMLButtonElement);
  const opener = find(root, '#open-save', HTMLButtonElement);
  const listeners = new AbortController();

  function start() {
    dialog.hidePopover();
    store.set({ presenting: true, secondModel: '' });
    map.focus();
  }

  function stop() {
    if (!store.get().presenting) return;
    store.set({ presenting: false });
    opener.focus();
  }

  /** @param {KeyboardEvent} event */
  const key = (event) => event.key === 'Escape' && stop();

  const { signal } = listeners;
  enter.addEventListener('click', start, { signal });
  leave.addEventListener('click', stop, { signal });
  root.addEventListener('keydown', key, { signal });
  const unwatch = store.watch(['presenting', 'shown', 'secondModel'], ({ presenting, shown, secondModel }) => {
    const isPossible = !secondModel && (!shown || hasPlane(shown));
    root.toggleAttribute('data-present', presenting && isPossible);
    leave.hidden = !(presenting && isPossible);
    enter.disabled = Boolean(shown) && !isPossible && !secondModel;
  });
  return () => {
    listeners.abort();
    unwatch();
  };
}

/**
 * The tabs of the panel: one is open; arrow keys, Home and End go through them.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { find, findAll } from '../elements.js';
import { PANELS } from '../store.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const bar = find(root, '[role="tablist"]', HTMLElement);
  const tabs = findAll(bar, '[role="tab"]', HTMLButtonElement);
  const listeners = new AbortController();

  /** @type {(index: number) => void} */
  const open = (index) => store.set({ panel: PANELS[(index + PANELS.length) % PANELS.length] });

  /** @param {KeyboardEvent} event */
  function key(event) {
    const at = PANELS.indexOf(store.get().panel);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    open(to);
    tabs.find((tab) => tab.ariaSelected === 'true')?.focus();
  }

  tabs.forEach((tab, i) => tab.addEventListener('click', () => open(i), { signal: listeners.signal }));
  bar.addEventListener('keydown', key, { signal: listeners.signal });
  const unwatch = store.watch(['panel'], ({ panel }) => {
    for (const tab of tabs) {
      const isOpen = tab.dataset.panel === panel;
      tab.ariaSelected = `${isOpen}`;
      tab.tabIndex = isOpen ? 0 : -1;
      find(root, `#panel-${tab.dataset.panel}`, HTMLElement).hidden = !isOpen;
    }
  });
  return () => {
    listeners.abort();
    unwatch();
  };
}

/**
 * The tabs of the panels, one of which is open. Arrow keys, Home and End move between them. Tabs that need a map are
 * hidden for a model without a plane.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { hasPlane } from '../latent/model-groups.js';
import { find, findAll } from '../lib/dom.js';
import { PANELS } from '../store.js';

/** @type {readonly import('../store.js').Panel[]} */
const ON_THE_MAP = ['point', 'path', 'vary', 'training'];

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const bar = find(root, '[role="tablist"]', HTMLElement);
  const tabs = findAll(bar, '[role="tab"]', HTMLButtonElement);
  const listeners = new AbortController();

  function offered() {
    const { shown } = store.get();
    return PANELS.filter((panel) => !shown || hasPlane(shown) || !ON_THE_MAP.includes(panel));
  }

  /** @type {(index: number) => void} */
  function open(index) {
    const panels = offered();
    store.set({ panel: panels[(index + panels.length) % panels.length] });
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const at = offered().indexOf(store.get().panel);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    open(to);
    tabs.find((tab) => tab.ariaSelected === 'true')?.focus();
  }

  for (const tab of tabs) {
    const panel = PANELS.find((name) => name === tab.dataset.panel);
    tab.addEventListener('click', () => panel && store.set({ panel }), { signal: listeners.signal });
  }
  bar.addEventListener('keydown', key, { signal: listeners.signal });
  const unwatch = store.watch(['panel', 'shown'], ({ panel }) => {
    const panels = offered();
    if (!panels.includes(panel)) return store.set({ panel: 'draw' });
    for (const tab of tabs) {
      tab.hidden = !panels.some((name) => name === tab.dataset.panel);
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

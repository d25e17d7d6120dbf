/**
 * Says in the store which layers the server is computing.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../map-layers.js').LayerId} LayerId
 */

/** @type {(store: Store, id: LayerId, isComputing: boolean) => void} */
export function markComputing(store, id, isComputing) {
  const others = store.get().computing.filter((other) => other !== id);
  store.set({ computing: isComputing ? [...others, id] : others });
}

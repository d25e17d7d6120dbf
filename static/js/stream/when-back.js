/**
 * Runs a task when the server can be reached again, for what failed meanwhile.
 *
 * @typedef {import('../store.js').Store} Store
 */

/** @type {(store: Store, task: () => void) => () => void} */
export function whenBack(store, task) {
  let isLost = false;
  return store.watch(['connection'], ({ connection }) => {
    if (connection === 'reconnecting' || connection === 'offline') isLost = true;
    else if (isLost && connection !== 'connecting') {
      isLost = false;
      task();
    }
  });
}

/**
 * A shelf with room for so many things: what has not been used for longest goes first. No DOM.
 *
 * @template T
 * @typedef {ReturnType<typeof createShelf<T>>} Shelf
 */

/**
 * @template T
 * @param {number} room
 * @param {(thing: T) => void} [discard]
 */
export function createShelf(room, discard = () => {}) {
  /** In the order in which they were last used. @type {Map<string, T>} */
  const things = new Map();
  return {
    /** @type {(key: string) => boolean} */
    has: (key) => things.has(key),

    /** Take a thing for use. @type {(key: string) => T | undefined} */
    use(key) {
      const thing = things.get(key);
      if (thing === undefined) return undefined;
      things.delete(key);
      things.set(key, thing);
      return thing;
    },

    /** @type {(key: string, thing: T) => void} */
    put(key, thing) {
      const before = things.get(key);
      if (before !== undefined) discard(before);
      things.delete(key);
      things.set(key, thing);
      for (const [oldest, other] of things) {
        if (things.size <= room) break;
        things.delete(oldest);
        discard(other);
      }
    },

    clear() {
      for (const thing of things.values()) discard(thing);
      things.clear();
    },

    get size() {
      return things.size;
    },
  };
}

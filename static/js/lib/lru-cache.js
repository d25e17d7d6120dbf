/**
 * A cache that drops the least recently used value when it is full. No DOM.
 *
 * @template T
 * @typedef {ReturnType<typeof createLruCache<T>>} LruCache
 */

/**
 * @template T
 * @param {number} capacity  the largest number of values
 * @param {(value: T) => void} [discard]  called with each value that is dropped or replaced
 */
export function createLruCache(capacity, discard = () => {}) {
  /** From the least to the most recently used. @type {Map<string, T>} */
  const values = new Map();
  return {
    /** @type {(key: string) => boolean} */
    has: (key) => values.has(key),

    /** Return a value and mark it as used. @type {(key: string) => T | undefined} */
    get(key) {
      const value = values.get(key);
      if (value === undefined) return undefined;
      values.delete(key);
      values.set(key, value);
      return value;
    },

    /** @type {(key: string, value: T) => void} */
    set(key, value) {
      const before = values.get(key);
      if (before !== undefined) discard(before);
      values.delete(key);
      values.set(key, value);
      for (const [oldest, other] of values) {
        if (values.size <= capacity) break;
        values.delete(oldest);
        discard(other);
      }
    },

    clear() {
      for (const value of values.values()) discard(value);
      values.clear();
    },

    get size() {
      return values.size;
    },
  };
}

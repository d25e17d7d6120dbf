/**
 * Asking again when the server says later: it answers 503 and how long to wait while it makes room for a model.
 * No DOM.
 */
import { Refusal } from '../api.js';

/** Then the server is not busy but in trouble, and the visitor should hear of it. */
const MOST_TRIES = 6;
const LONGEST_SECONDS = 30;

/**
 * @template T
 * @param {() => Promise<T>} task
 * @param {object} options
 * @param {AbortSignal} options.signal  ends the waiting, with its reason
 * @param {(seconds: number) => void} [options.onWait]  told before each pause
 * @param {(milliseconds: number, signal: AbortSignal) => Promise<void>} [options.sleep]  what a test replaces
 * @returns {Promise<T>}
 */
export async function patiently(task, { signal, onWait, sleep = pause }) {
  for (let tries = 1; ; tries++) {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof Refusal) || error.retryAfter === null || tries === MOST_TRIES) throw error;
      const seconds = Math.min(error.retryAfter, LONGEST_SECONDS);
      onWait?.(seconds);
      await sleep(1000 * seconds, signal);
      signal.throwIfAborted();
    }
  }
}

/** @type {(milliseconds: number, signal: AbortSignal) => Promise<void>} */
const pause = (milliseconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });

/**
 * Tries a task again when its error names a pause, as the server's 503 with Retry-After does while it is full.
 * No DOM.
 */

/** The error is thrown after this many tries. */
const MAX_TRIES = 6;
const MAX_WAIT_SECONDS = 30;
/** A first pause of up to this is not worth a word. */
const QUIET_SECONDS = 2;

/**
 * Run a task, and run it again as long as its error has a `retryAfter` in seconds.
 *
 * @template T
 * @param {() => Promise<T>} task
 * @param {object} [options]
 * @param {AbortSignal} [options.signal]  aborts the wait; its reason is thrown
 * @param {(seconds: number) => void} [options.onWait]  called before each pause, but for a short first one
 * @param {(milliseconds: number, signal?: AbortSignal) => Promise<void>} [options.sleep]  replaced in tests
 * @returns {Promise<T>}
 */
export async function retry(task, { signal, onWait, sleep = pause } = {}) {
  for (let tries = 1; ; tries++) {
    try {
      return await task();
    } catch (error) {
      const pauseSeconds = retryAfterOf(error);
      if (pauseSeconds === null || tries === MAX_TRIES) throw error;
      const seconds = Math.min(pauseSeconds, MAX_WAIT_SECONDS);
      if (tries > 1 || seconds > QUIET_SECONDS) onWait?.(seconds);
      await sleep(1000 * seconds, signal);
      signal?.throwIfAborted();
    }
  }
}

/** Say that a task is tried again. @type {(seconds: number) => string} */
export const busyFor = (seconds) => `The server is busy; trying again in ${seconds} s …`;

/** The pause that an error names, in seconds; null: it names none. @type {(error: unknown) => number | null} */
export const retryAfterOf = (error) =>
  error instanceof Error && 'retryAfter' in error && typeof error.retryAfter === 'number' ? error.retryAfter : null;

/** @type {(milliseconds: number, signal?: AbortSignal) => Promise<void>} */
const pause = (milliseconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });

/**
 * Asks for each image by a request of its own, where no stream opens. No DOM.
 *
 * After a request has failed nothing is sent for a while: as long as the server asks for, or longer each time while
 * it is away.
 *
 * @typedef {import('./pump.js').Environment} Environment
 * @typedef {import('./pump.js').Pump} Pump
 */
import { retryAfterOf } from '../lib/retry.js';

const MIN_PAUSE_MILLISECONDS = 250;
const MAX_PAUSE_MILLISECONDS = 8000;
/** A request without an answer for this long has failed. */
const ANSWER_MILLISECONDS = 10_000;

/**
 * @param {object} options
 * @param {(latent: readonly number[], signal: AbortSignal) => Promise<Uint8Array>} options.decode
 *   throws an error with `retryAfter` in seconds where the server is busy
 * @param {number} options.maxRequests  in flight at once
 * @param {Pump} options.pump
 * @param {() => void} options.onAnswer
 * @param {() => void} options.onAway  the server did not answer, or refused
 * @param {Pick<Environment, 'later' | 'cancel'>} options.environment
 */
export function startHttpWay({ decode, maxRequests, pump, onAnswer, onAway, environment: { later, cancel } }) {
  let requests = new AbortController();
  let pause = MIN_PAUSE_MILLISECONDS;
  let timer = 0;

  /** @type {(sequence: number, latent: readonly number[]) => Promise<void>} */
  async function ask(sequence, latent) {
    const { signal } = requests;
    const deadline = later(() => fail(null), ANSWER_MILLISECONDS);
    let pixels;
    try {
      pixels = await decode(latent, signal);
    } catch (error) {
      if (!signal.aborted) fail(error);
      return;
    } finally {
      cancel(deadline);
    }
    if (signal.aborted) return;
    pause = MIN_PAUSE_MILLISECONDS;
    onAnswer();
    pump.replied(sequence, pixels);
  }

  /** @param {unknown} error */
  function fail(error) {
    requests.abort();
    pump.use(null);
    const seconds = retryAfterOf(error);
    if (seconds === null) {
      timer = later(start, pause);
      pause = Math.min(2 * pause, MAX_PAUSE_MILLISECONDS);
      onAway();
    } else {
      timer = later(start, 1000 * seconds);
    }
  }

  function start() {
    cancel(timer);
    requests = new AbortController();
    pump.use({ isInOrder: false, maxInFlight: maxRequests, send: (sequence, latent) => void ask(sequence, latent) });
    pump.offerAgain();
  }

  start();
  return {
    /** Try at once instead of after the pause. */
    hurry() {
      if (requests.signal.aborted) start();
    },
    close() {
      cancel(timer);
      requests.abort();
    },
  };
}

/**
 * Decides which latent is sent when, over whichever way there is, and which reply is shown. No DOM.
 *
 * At most one latent is sent a frame of the screen, because a second image would replace the first before anybody saw
 * it, and as many are in flight as the flight window allows. The newest wins: it replaces the one that waits. An image
 * that is older than the shown one is dropped. What a lost way took with it is sent again, if nothing newer waits.
 *
 * @typedef {object} Frame
 * @property {Uint8Array} pixels  the numbers of the image, row by row
 * @property {number} startedAt  when the gesture that asked for it began, in `now()` milliseconds; 0: no gesture did
 * @property {number} roundTrip  milliseconds from sending to the reply
 *
 * @typedef {object} Way  for latents to the server
 * @property {(sequence: number, latent: readonly number[]) => void} send
 * @property {boolean} isInOrder  whether a reply means that no older latent will be answered
 * @property {number} maxInFlight
 *
 * @typedef {object} Environment  replaced in tests
 * @property {() => number} now
 * @property {(task: () => void, milliseconds: number) => number} later
 * @property {(timer: number) => void} cancel
 * @property {(task: (time: number) => void) => void} nextFrame  calls back when the next frame of the screen begins
 *
 * @typedef {object} Point  that waits or is in flight
 * @property {readonly number[]} latent
 * @property {number} startedAt  as in its frame
 * @property {number | null} leftAt  when the point left the latent sent before; null: it is the same
 *
 * @typedef {ReturnType<typeof createPump>} Pump
 */
import { watchBehind } from './behind.js';
import { createFlightWindow } from './flight-window.js';

/**
 * @param {object} options
 * @param {(frame: Frame) => void} options.onFrame
 * @param {(isBehind: boolean) => void} options.onBehind  whether the newest image has not been the point's for a while
 * @param {Environment} options.environment
 */
export function createPump({ onFrame, onBehind, environment }) {
  const { now, nextFrame } = environment;
  const behind = watchBehind({ onChange: onBehind, environment });
  /** @type {Way | null} */
  let way = null;
  let flights = createFlightWindow();
  /** @type {Point | null} */
  let waiting = null;
  /** The newest latent that was offered. @type {readonly number[] | null} */
  let newest = null;
  /** By sequence number, the oldest first. @type {Map<number, Point & {sentAt: number}>} */
  const inFlight = new Map();
  let sequence = 0;
  let shown = 0;
  /** Whether a latent has been sent since the last frame. */
  let hasSent = false;

  function pump() {
    if (!way || !waiting || hasSent || inFlight.size >= flights.limit()) return;
    const point = waiting;
    waiting = null;
    inFlight.set(++sequence, { ...point, sentAt: now() });
    hasSent = true;
    way.send(sequence, point.latent);
    nextFrame((time) => {
      flights.framed(time);
      hasSent = false;
      pump();
    });
  }

  /** Whether a latent waits or is in flight. */
  const isBusy = () => waiting !== null || inFlight.size > 0;

  return {
    /** @type {(latent: readonly number[], startedAt: number) => void} */
    offer(latent, startedAt) {
      const leftAt = waiting?.leftAt ?? now();
      waiting = { latent, startedAt, leftAt };
      newest = latent;
      behind.left(leftAt);
      pump();
    },

    /** Send the newest latent again, unless one is on its way: the reply tells whether the way works. */
    offerAgain() {
      if (newest && !isBusy()) waiting = { latent: newest, startedAt: 0, leftAt: null };
      pump();
    },

    /** Send over another way from now on, or over none. @param {Way | null} next */
    use(next) {
      waiting ??= [...inFlight.values()].at(-1) ?? null;
      inFlight.clear();
      flights = createFlightWindow(next?.maxInFlight);
      hasSent = false;
      way = next;
      pump();
    },

    /** A reply came over the way in use. @type {(of: number, pixels: Uint8Array) => void} */
    replied(of, pixels) {
      const flight = inFlight.get(of);
      if (!way || !flight) return;
      inFlight.delete(of);
      if (way.isInOrder) for (const older of inFlight.keys()) if (older < of) inFlight.delete(older);
      const { startedAt, sentAt } = flight;
      flights.replied(sentAt, now());
      pump();
      if (of < shown) return;
      shown = of;
      const next = [...inFlight].find(([one]) => one > of)?.[1] ?? waiting;
      behind.shown(next?.leftAt ?? null);
      onFrame({ pixels, startedAt, roundTrip: now() - sentAt });
    },

    /** Send nothing more. */
    stop() {
      behind.stop();
      way = null;
    },

    newest: () => newest,
    isBusy,
  };
}

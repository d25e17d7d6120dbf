/**
 * A network and a server by a virtual clock, and a person who drags over it. Nothing here takes real time, and the
 * same numbers give the same drag.
 */
import { createPump } from '../../../static/js/stream/pump.js';
import { Clock } from './clock.js';

export const FRAME = 1000 / 60;

/** What comes before is not counted, in milliseconds. */
const WARM_UP = 2000;

/**
 * Drag for a while at 60 points a second, and count the images and how long after its point each one came.
 *
 * @param {object} network  all in milliseconds
 * @param {number} network.roundTrip
 * @param {number} [network.jitter]  each way takes up to this much longer
 * @param {boolean} [network.hasPauses]  nothing arrives for 300 ms, every 7 seconds
 * @param {number} [network.service]  what the server takes for an image
 * @param {boolean} [network.isInOrder]  a stream, else requests
 * @param {number} [network.seconds]
 */
export function drag({ roundTrip, jitter = 0, hasPauses = false, service = 1, isInOrder = true, seconds = 16 }) {
  const clock = new Clock();
  const random = generator(1);
  const lags = [];
  const sequences = [];
  const shown = [];
  const behind = [];
  let greatest = 0;
  const inFlight = new Set();
  const pump = createPump({
    onFrame({ pixels, startedAt }) {
      if (clock.now() >= WARM_UP) lags.push(clock.now() - startedAt);
      shown.push(pixels[0]);
    },
    onBehind: (isBehind) => behind.push(isBehind),
    environment: {
      now: clock.now,
      later: clock.later,
      cancel: clock.cancel,
      nextFrame: (task) => clock.later(() => task(clock.now()), untilFrame(clock.now())),
    },
  });

  /** One direction: on a stream nothing overtakes. */
  function direction() {
    let arrived = 0;
    return (task) => {
      let at = clock.now() + roundTrip / 2 + jitter * random();
      if (hasPauses && at % 7000 < 300) at += 300 - (at % 7000);
      if (isInOrder) at = arrived = Math.max(arrived, at);
      clock.later(task, at - clock.now());
    };
  }
  const [up, down] = [direction(), direction()];

  let asked = null;
  /** On a stream one, the newest; of requests all. */
  let mailbox = [];
  function serve() {
    if (asked || mailbox.length === 0) return;
    asked = mailbox.shift();
    clock.later(() => {
      const { sequence, latent } = asked;
      asked = null;
      serve();
      down(() => {
        sequences.push(sequence);
        for (const one of inFlight) if (one === sequence || (isInOrder && one < sequence)) inFlight.delete(one);
        pump.replied(sequence, latent);
      });
    }, service);
  }
  pump.use({
    isInOrder,
    maxInFlight: 16,
    send(sequence, latent) {
      inFlight.add(sequence);
      greatest = Math.max(greatest, inFlight.size);
      up(() => {
        mailbox = isInOrder ? [{ sequence, latent }] : [...mailbox, { sequence, latent }];
        serve();
      });
    },
  });

  function move(n) {
    pump.offer([n], clock.now());
    if (n + 1 < 60 * seconds) clock.later(() => move(n + 1), FRAME);
  }
  clock.later(() => move(0), FRAME / 3);
  clock.pass(1000 * seconds);
  const perSecond = (1000 * lags.length) / (clock.now() - WARM_UP);
  clock.pass(5000);
  lags.sort((a, b) => a - b);
  return { perSecond, p95: lags[Math.floor(0.95 * lags.length)], shown, last: shown.at(-1), greatest, sequences, behind };
}

/** @type {(now: number) => number} */
const untilFrame = (now) => (Math.floor(now / FRAME + 1e-6) + 1) * FRAME - now;

/** Numbers from 0 to 1 that are the same each time (mulberry32). */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * How many latents may be in flight, so that a drag over a long way has an image a frame and yet no queue grows before
 * a busy server. No DOM, no clock.
 *
 * The way itself holds as many as the shortest round trip of late has frames, plus one. Replies that come two frames
 * later than the shortest have waited: once, for a pause of the network; twice in a row, in a queue, so the window is
 * halved and the queue empties. Replies in time widen it, quickly up to three quarters of what was too wide, then by
 * one a round trip. Delay tells of a queue as in TCP Vegas (Brakmo & Peterson 1995, doi:10.1109/49.464716).
 */

export const MAX_IN_FLIGHT = 16;
const LATE_FRAMES = 2;
/** How much one reply counts in the smoothed round trip. */
const SMOOTHING = 0.25;
/** A frame of the screen until two have been seen, in milliseconds. */
const USUAL_FRAME = 1000 / 60;
/** Two frames further apart were not one after the other. */
const LONGEST_FRAME = 35;
const SHORTEST_FRAME = 4;
/** The shortest of the last one to two of these spans is kept, in milliseconds. */
const SPAN = 2000;

/**
 * @typedef {object} FlightWindow
 * @property {() => number} limit  how many latents may be in flight
 * @property {(sentAt: number, now: number) => void} replied  a reply has come
 * @property {(time: number) => void} framed  a frame of the screen began
 */

/**
 * @param {number} [max]  of the limit
 * @returns {FlightWindow}
 */
export function createFlightWindow(max = MAX_IN_FLIGHT) {
  const roundTrips = createShortest();
  const frames = createShortest();
  let limit = 1;
  /** Below this the window widens by one with each reply, above it by one in a round trip. */
  let quickUntil = Infinity;
  /** Smoothed. @type {number | null} */
  let typical = null;
  /** Whether replies have been late once. */
  let isSuspect = false;
  /** Only replies to what was sent since tell whether they are late again. */
  let judgedAt = -Infinity;
  let framedAt = -Infinity;

  const frame = () => frames.value() ?? USUAL_FRAME;

  /** How many a round trip has room for; a reply within half a frame leaves no room for a second. */
  function room(/** @type {number} */ roundTrip) {
    if (roundTrip <= frame() / 2) return 1;
    return Math.min(max, Math.ceil(roundTrip / frame()) + 1);
  }

  function narrow() {
    quickUntil = 0.75 * limit;
    limit = Math.max(1, limit / 2);
  }

  return {
    limit: () => Math.floor(limit),
    replied(sentAt, now) {
      const roundTrip = now - sentAt;
      roundTrips.add(roundTrip, now);
      const shortest = roundTrips.value() ?? roundTrip;
      if (sentAt < judgedAt) return;
      typical = typical === null ? roundTrip : typical + SMOOTHING * (roundTrip - typical);
      const latest = shortest + LATE_FRAMES * frame();
      if (typical > latest) {
        if (isSuspect) narrow();
        isSuspect = !isSuspect;
        judgedAt = now;
        typical = null;
      } else if (roundTrip <= latest) {
        isSuspect = false;
        limit = Math.min(limit + (limit < quickUntil ? 1 : 1 / limit), room(shortest));
      }
    },
    framed(time) {
      const gap = time - framedAt;
      framedAt = time;
      if (gap >= SHORTEST_FRAME && gap <= LONGEST_FRAME) frames.add(gap, time);
    },
  };
}

/** Keeps the smallest number of late: of the span of time that runs, and of the one before. */
function createShortest() {
  let [before, here] = [Infinity, Infinity];
  let startedAt = -Infinity;
  return {
    /** @type {(number: number, now: number) => void} */
    add(number, now) {
      if (now - startedAt >= SPAN) {
        before = now - startedAt < 2 * SPAN ? here : Infinity;
        here = Infinity;
        startedAt = now;
      }
      here = Math.min(here, number);
    },
    /** @returns {number | null}  null: nothing has been added */
    value() {
      const shortest = Math.min(before, here);
      return shortest === Infinity ? null : shortest;
    },
  };
}

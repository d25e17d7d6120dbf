/**
 * Recognises gestures on the map: tap, pan, pinch and flick. A pointer on the ring is none of them, until a second
 * finger joins it. No DOM.
 *
 * @typedef {import('./camera.js').Screen} Screen
 *
 * @typedef {object} Touch
 * @property {number} id  of the pointer
 * @property {number} x  CSS pixels of the map
 * @property {number} y
 * @property {number} time  milliseconds
 *
 * @typedef {{kind: 'none'}
 *   | {kind: 'grasp', ids: number[]}
 *   | {kind: 'pan', dx: number, dy: number}
 *   | {kind: 'pinch', before: readonly [Screen, Screen], after: readonly [Screen, Screen]}
 *   | {kind: 'tap', place: Screen, isOnRing: boolean, isSecond: boolean}
 *   | {kind: 'flick', vx: number, vy: number}} Meaning  grasp: the map captures these pointers; v in pixels per ms
 */

/** A tap moves no farther than this, CSS pixels. */
const SLACK = { mouse: 4, touch: 9 };
/** Two taps closer than this are a double tap. */
const DOUBLE = { milliseconds: 320, pixels: 32 };
/** The speed of a flick is measured over its last milliseconds. */
const SPEED_MILLISECONDS = 90;
/** Below this speed, in pixels per millisecond, releasing the map does not start a glide. */
const MIN_SPEED = 0.12;

/** @type {Meaning} */
const NOTHING = { kind: 'none' };

export function createGesture() {
  /** @type {Map<number, Screen>} */
  const fingers = new Map();
  /** @type {'idle' | 'ring' | 'press' | 'pan' | 'pinch'} */
  let mode = 'idle';
  let isOnRing = false;
  let slack = 0;
  let start = { x: 0, y: 0 };
  let lastTap = { x: 0, y: 0, time: -Infinity };
  /** The recent positions of a panning finger. @type {Touch[]} */
  let trail = [];

  /** @type {(touch: Touch) => Meaning} */
  function lift({ x, y, time }) {
    const before = trail.find((touch) => time - touch.time <= SPEED_MILLISECONDS);
    if (!before || time <= before.time) return NOTHING;
    const [vx, vy] = [(x - before.x) / (time - before.time), (y - before.y) / (time - before.time)];
    return Math.hypot(vx, vy) < MIN_SPEED ? NOTHING : { kind: 'flick', vx, vy };
  }

  /** @type {(touch: Touch) => Meaning} */
  function tap({ x, y, time }) {
    const isNear = Math.hypot(x - lastTap.x, y - lastTap.y) <= DOUBLE.pixels;
    const isSecond = isNear && time - lastTap.time <= DOUBLE.milliseconds;
    lastTap = { x, y, time: isSecond ? -Infinity : time };
    return { kind: 'tap', place: { x, y }, isOnRing, isSecond };
  }

  /** @type {(place: Screen) => boolean} */
  const isStill = ({ x, y }) => Math.hypot(x - start.x, y - start.y) <= slack;

  return {
    /** @type {(touch: Touch, on: 'map' | 'ring', by: 'mouse' | 'touch') => Meaning} */
    down(touch, on, by) {
      const { id, x, y } = touch;
      if (fingers.size >= 2) return NOTHING;
      fingers.set(id, { x, y });
      if (fingers.size === 2) {
        mode = 'pinch';
        return { kind: 'grasp', ids: [...fingers.keys()] };
      }
      isOnRing = on === 'ring';
      mode = isOnRing ? 'ring' : 'press';
      slack = SLACK[by];
      start = { x, y };
      trail = [touch];
      return NOTHING;
    },

    /** @type {(touch: Touch) => Meaning} */
    move(touch) {
      const { id, x, y, time } = touch;
      const before = fingers.get(id);
      if (!before) return NOTHING;
      if (mode === 'pinch') {
        const [a, b] = [...fingers.values()];
        fingers.set(id, { x, y });
        const [c, d] = [...fingers.values()];
        return { kind: 'pinch', before: [a, b], after: [c, d] };
      }
      if (mode === 'press' && isStill(touch)) return NOTHING;
      if (mode === 'ring') {
        if (!isStill(touch)) slack = -1;
        return NOTHING;
      }
      mode = 'pan';
      fingers.set(id, { x, y });
      trail.push(touch);
      while (time - trail[0].time > SPEED_MILLISECONDS) trail.shift();
      return { kind: 'pan', dx: x - before.x, dy: y - before.y };
    },

    /** @type {(touch: Touch, isCancelled?: boolean) => Meaning} */
    up(touch, isCancelled = false) {
      if (!fingers.delete(touch.id)) return NOTHING;
      const ended = mode;
      mode = fingers.size ? 'pan' : 'idle';
      if (fingers.size) trail = [];
      if (isCancelled || ended === 'pinch') return NOTHING;
      if (ended === 'pan') return lift(touch);
      return isStill(touch) ? tap(touch) : NOTHING;
    },

    /** Whether no pointer is down. */
    isIdle: () => fingers.size === 0,

    /** Whether a gesture is moving the map. */
    isMoving: () => mode === 'pan' || mode === 'pinch',
  };
}

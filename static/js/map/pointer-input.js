/**
 * The hand on the map: dragging pans, the wheel and two fingers zoom about themselves, a flick lets the map glide on, a
 * tap brings the point, a double one zooms in, with Shift out. What takes the ring is the ring's own affair, until a
 * second finger joins it.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('./gesture.js').Meaning} Meaning
 */
import { allowedFactor, pan, pinch, planeU, planeV, zoomAbout } from './camera.js';
import { find } from '../lib/dom.js';
import { createGesture } from './gesture.js';
import { createPointMover } from './move-point.js';
import { createCameraMotion } from './camera-motion.js';

/** A turn of the wheel by a pixel zooms by this, as an exponent; a pinch on a touchpad turns it less. */
const WHEEL = 0.0022;
const WHEEL_OF_A_PINCH = 0.011;
const PIXELS_A_LINE = 33;
/** A wheel with notches turns by leaps that are worth a flight, CSS pixels. */
const LEAP = 50;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const map = find(root, '.map', HTMLElement);
  const ring = find(root, '.ring', HTMLElement);
  const gesture = createGesture();
  const motion = createCameraMotion(store);
  const mover = createPointMover(map, store);
  const listeners = new AbortController();
  let corner = { left: 0, top: 0 };

  /** @param {PointerEvent} event */
  const touchOf = ({ pointerId: id, clientX, clientY, timeStamp: time }) => {
    return { id, x: clientX - corner.left, y: clientY - corner.top, time };
  };

  /** @type {(meaning: Meaning, event: PointerEvent) => void} */
  function act(meaning, event) {
    const { view } = store.get();
    if (!view) return;
    const { camera, limits } = view;
    if (meaning.kind === 'grasp') for (const id of meaning.ids) map.setPointerCapture(id);
    else if (meaning.kind === 'pan') motion.set(pan(camera, meaning.dx, meaning.dy));
    else if (meaning.kind === 'pinch') motion.set(pinch(camera, meaning.before, meaning.after, limits));
    else if (meaning.kind === 'flick') motion.glide(meaning.vx, meaning.vy);
    else if (meaning.kind === 'tap') {
      const { place, isOnRing, isSecond } = meaning;
      if (!isOnRing) {
        mover.measure();
        mover.moveTo({ u: planeU(camera, place.x), v: planeV(camera, place.y) }, event.timeStamp);
      }
      if (isSecond) motion.zoom(event.shiftKey ? 1 / 2 : 2, place);
    }
    map.toggleAttribute('data-moving', gesture.isMoving());
  }

  /** @param {PointerEvent} event */
  function press(event) {
    if (event.button !== 0) return;
    motion.stop();
    corner = map.getBoundingClientRect();
    const isOnRing = event.target instanceof Node && ring.contains(event.target);
    if (!isOnRing) map.setPointerCapture(event.pointerId);
    act(gesture.down(touchOf(event), isOnRing ? 'ring' : 'map', event.pointerType === 'mouse' ? 'mouse' : 'touch'), event);
  }

  /** @param {WheelEvent} event */
  function turn(event) {
    event.preventDefault();
    const { view } = store.get();
    if (!view) return;
    const { left, top } = map.getBoundingClientRect();
    const place = { x: event.clientX - left, y: event.clientY - top };
    const pixels = event.deltaY * (event.deltaMode ? PIXELS_A_LINE : 1);
    const factor = Math.exp(-pixels * (event.ctrlKey ? WHEEL_OF_A_PINCH : WHEEL));
    if (Math.abs(pixels) >= LEAP) return motion.zoom(factor, place);
    const { camera, limits } = view;
    motion.set(zoomAbout(camera, allowedFactor(camera, factor, limits), place));
  }

  const { signal } = listeners;
  map.addEventListener('pointerdown', press, { signal });
  map.addEventListener('pointermove', (event) => act(gesture.move(touchOf(event)), event), { signal });
  map.addEventListener('pointerup', (event) => act(gesture.up(touchOf(event)), event), { signal });
  map.addEventListener('pointercancel', (event) => act(gesture.up(touchOf(event), true), event), { signal });
  map.addEventListener('wheel', turn, { signal, passive: false });
  return () => {
    motion.stop();
    listeners.abort();
  };
}

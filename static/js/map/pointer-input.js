/**
 * Pointer input on the map: a drag pans, the wheel and two fingers zoom, a flick lets the map glide, a tap moves the
 * point, and a double tap zooms in, with Shift out. Pointers on the ring are handled in ring.js, until a second
 * finger joins. A pinch on a touchpad comes as a wheel with Ctrl; Safari reports it by events of its own.
 *
 * @typedef {UIEvent & {scale: number, clientX: number, clientY: number}} TouchpadPinch  `gesturechange` of Safari; its
 *   scale is that since `gesturestart`
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('./gesture.js').Meaning} Meaning
 */
import { find } from '../lib/dom.js';
import { createCameraMotion } from './camera-motion.js';
import { allowedFactor, pan, pinch, planeU, planeV, zoomAbout } from './camera.js';
import { createGesture } from './gesture.js';
import { createPointMover } from './move-point.js';

/** Logarithm of the zoom factor per pixel of the wheel. A pinch on a touchpad reports fewer, so each zooms more. */
const WHEEL_ZOOM = 0.0022;
const TOUCHPAD_PINCH_ZOOM = 0.011;
const PIXELS_PER_LINE = 33;
/** A wheel event of at least this size, CSS pixels, comes from a notched wheel and starts a flight. */
const NOTCH = 50;

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
  let scaleBefore = 1;

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
    const pixels = event.deltaY * (event.deltaMode ? PIXELS_PER_LINE : 1);
    const factor = Math.exp(-pixels * (event.ctrlKey ? TOUCHPAD_PINCH_ZOOM : WHEEL_ZOOM));
    if (Math.abs(pixels) >= NOTCH) return motion.zoom(factor, place);
    const { camera, limits } = view;
    motion.set(zoomAbout(camera, allowedFactor(camera, factor, limits), place));
  }

  /** @param {Event} event */
  function startPinch(event) {
    event.preventDefault();
    scaleBefore = 1;
  }

  /** @param {Event} event */
  function pinchOnTouchpad(event) {
    event.preventDefault(); // else Safari zooms the page
    const { view } = store.get();
    if (!view || !gesture.isIdle()) return; // on a touch screen the fingers are pointers as well
    const { scale, clientX, clientY } = /** @type {TouchpadPinch} */ (event);
    const { left, top } = map.getBoundingClientRect();
    const factor = allowedFactor(view.camera, scale / scaleBefore, view.limits);
    motion.set(zoomAbout(view.camera, factor, { x: clientX - left, y: clientY - top }));
    scaleBefore = scale;
  }

  const { signal } = listeners;
  map.addEventListener('pointerdown', press, { signal });
  map.addEventListener('pointermove', (event) => act(gesture.move(touchOf(event)), event), { signal });
  map.addEventListener('pointerup', (event) => act(gesture.up(touchOf(event)), event), { signal });
  map.addEventListener('pointercancel', (event) => act(gesture.up(touchOf(event), true), event), { signal });
  map.addEventListener('wheel', turn, { signal, passive: false });
  map.addEventListener('gesturestart', startPinch, { signal });
  map.addEventListener('gesturechange', pinchOnTouchpad, { signal });
  return () => {
    motion.stop();
    listeners.abort();
  };
}

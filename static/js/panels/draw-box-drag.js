/**
 * Draws, moves and resizes the box on a picture with a pointer; a tap that moves nothing points at a shape.
 *
 * @typedef {import('../api.js').PhotoBox} PhotoBox
 * @typedef {import('../api.js').PhotoPlace} PhotoPlace
 * @typedef {import('./draw-box.js').Corner} Corner
 */
import { between, contains, isWhole, moved, resized } from './draw-box.js';

/** A tap moves no farther than this, CSS pixels. */
const SLACK = { mouse: 4, touch: 9 };

/**
 * @param {HTMLElement} frame  as large as the picture; in it, handles with a `data-corner`
 * @param {object} on
 * @param {() => PhotoBox} on.box  the box before a gesture
 * @param {(box: PhotoBox) => void} on.onBox
 * @param {(place: PhotoPlace) => void} on.onTap
 */
export function createBoxDrag(frame, { box, onBox, onTap }) {
  const listeners = new AbortController();
  /** @type {{x: number, y: number, place: PhotoPlace, change: (place: PhotoPlace) => PhotoBox | null} | null} */
  let press = null;
  let isTap = false;

  /** @type {(event: PointerEvent) => PhotoPlace} */
  function placeOf({ clientX, clientY }) {
    const { left, top, width, height } = frame.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  /** @param {PointerEvent} event */
  function down(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    frame.setPointerCapture(event.pointerId);
    const place = placeOf(event);
    const [x0, y0] = place;
    const before = box();
    const corner = event.target instanceof HTMLElement ? cornerOf(event.target.dataset.corner) : null;
    isTap = true;
    press = {
      x: event.clientX,
      y: event.clientY,
      place,
      change: ([x, y]) => {
        if (corner) return resized(before, corner, x - x0, y - y0);
        if (!isWhole(before) && contains(before, place)) return moved(before, x - x0, y - y0);
        return between(place, [x, y]);
      },
    };
  }

  /** @param {PointerEvent} event */
  function move(event) {
    if (!press || !frame.hasPointerCapture(event.pointerId)) return;
    const slack = event.pointerType === 'touch' ? SLACK.touch : SLACK.mouse;
    isTap &&= Math.hypot(event.clientX - press.x, event.clientY - press.y) <= slack;
    if (isTap) return;
    const next = press.change(placeOf(event));
    if (next) onBox(next);
  }

  /** @param {PointerEvent} event */
  function up({ type }) {
    if (press && isTap && type === 'pointerup') onTap(press.place);
    press = null;
  }

  const { signal } = listeners;
  frame.addEventListener('pointerdown', down, { signal });
  frame.addEventListener('pointermove', move, { signal });
  frame.addEventListener('pointerup', up, { signal });
  frame.addEventListener('pointercancel', up, { signal });
  return { stop: () => listeners.abort() };
}

/** @type {(name: string | undefined) => Corner | null} */
const cornerOf = (name) => (name === 'nw' || name === 'ne' || name === 'sw' || name === 'se' ? name : null);

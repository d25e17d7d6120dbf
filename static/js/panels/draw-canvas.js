/**
 * The canvas to draw on.
 */
import { find } from '../lib/dom.js';
import { contextOf } from '../lib/pixels.js';
import { keep, kept } from './draw-kept.js';
import { paintStrokes } from './draw-strokes.js';

const RESOLUTION = 280;
/** Finer than a pixel, and short to keep. @type {(exact: number) => number} */
const share = (exact) => Number(exact.toFixed(4));
/** During a stroke the drawing is read at most this often. */
const READ_EVERY_MILLISECONDS = 200;

/**
 * @param {HTMLElement} root
 * @param {(image: Blob | null) => void} onImage  called with the drawing when it has changed; null: it is empty
 */
export function mount(root, onImage) {
  const canvas = find(root, '#drawing', HTMLCanvasElement);
  const hint = find(root, '#drawing-hint', HTMLElement);
  const undo = find(root, '#undo', HTMLButtonElement);
  const clear = find(root, '#clear-drawing', HTMLButtonElement);
  const listeners = new AbortController();
  canvas.width = canvas.height = RESOLUTION;
  const context = contextOf(canvas, { alpha: false });
  /** @type {number[][]} */
  let strokes = [];
  let timer = 0;

  function repaint() {
    paintStrokes(context, strokes);
    hint.hidden = strokes.length > 0;
    undo.ariaDisabled = `${strokes.length === 0}`;
  }

  function read() {
    clearTimeout(timer);
    timer = 0;
    keep(strokes);
    if (strokes.length === 0) onImage(null);
    else canvas.toBlob((blob) => strokes.length && onImage(blob));
  }

  /** @param {PointerEvent} event */
  function extend(event) {
    const stroke = strokes[strokes.length - 1];
    const side = canvas.clientWidth;
    for (const { offsetX, offsetY } of [...(event.getCoalescedEvents?.() ?? []), event]) {
      stroke.push(share(offsetX / side), share(offsetY / side));
    }
    repaint();
    timer ||= setTimeout(read, READ_EVERY_MILLISECONDS);
  }

  const { signal } = listeners;
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    canvas.setPointerCapture(event.pointerId);
    strokes.push([]);
    extend(event);
  }, { signal });
  canvas.addEventListener('pointermove', (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) extend(event);
  }, { signal });
  canvas.addEventListener('lostpointercapture', read, { signal });
  undo.addEventListener('click', () => {
    if (!strokes.pop()) return;
    repaint();
    read();
  }, { signal });
  clear.addEventListener('click', () => {
    strokes = [];
    repaint();
    read();
  }, { signal });

  repaint();
  return {
    /** Empty the canvas without calling `onImage`, because another image is shown; the drawing stays kept. */
    clear() {
      clearTimeout(timer);
      timer = 0;
      strokes = [];
      repaint();
    },
    hasKept: () => kept().length > 0,
    /** Show the drawing that was kept, as if it had just been drawn. */
    restore() {
      strokes = kept();
      repaint();
      read();
    },
    /** Keep no drawing any more. */
    forget: () => keep([]),
    unmount() {
      clearTimeout(timer);
      listeners.abort();
    },
  };
}

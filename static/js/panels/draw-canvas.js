/**
 * The sheet to draw on.
 */
import { contextOf } from '../lib/pixels.js';
import { find } from '../lib/dom.js';
import { paintStrokes } from './draw-strokes.js';

const SIDE = 280;
/** While a stroke goes on, the drawing is read this often at most. */
const READ_EVERY_MILLISECONDS = 200;

/**
 * @param {HTMLElement} root
 * @param {(image: Blob | null) => void} onImage  called with each new state of the drawing; null: it is empty
 */
export function mount(root, onImage) {
  const sheet = find(root, '#drawing', HTMLCanvasElement);
  const hint = find(root, '#drawing-hint', HTMLElement);
  const undo = find(root, '#undo', HTMLButtonElement);
  const clear = find(root, '#clear-drawing', HTMLButtonElement);
  const listeners = new AbortController();
  sheet.width = sheet.height = SIDE;
  const context = contextOf(sheet, { alpha: false });
  /** @type {number[][]} */
  let strokes = [];
  let timer = 0;

  function repaint() {
    paintStrokes(context, strokes);
    hint.hidden = strokes.length > 0;
    undo.disabled = strokes.length === 0;
  }

  function read() {
    clearTimeout(timer);
    timer = 0;
    if (strokes.length === 0) onImage(null);
    else sheet.toBlob((blob) => strokes.length && onImage(blob));
  }

  /** @param {PointerEvent} event */
  function extend(event) {
    const stroke = strokes[strokes.length - 1];
    const side = sheet.clientWidth;
    for (const { offsetX, offsetY } of event.getCoalescedEvents?.() ?? []) {
      stroke.push(offsetX / side, offsetY / side);
    }
    stroke.push(event.offsetX / side, event.offsetY / side);
    repaint();
    timer ||= setTimeout(read, READ_EVERY_MILLISECONDS);
  }

  const { signal } = listeners;
  sheet.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    sheet.setPointerCapture(event.pointerId);
    strokes.push([]);
    extend(event);
  }, { signal });
  sheet.addEventListener('pointermove', (event) => {
    if (sheet.hasPointerCapture(event.pointerId)) extend(event);
  }, { signal });
  sheet.addEventListener('lostpointercapture', read, { signal });
  undo.addEventListener('click', () => {
    strokes.pop();
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
    /** Empty the sheet without a word: another image takes its place. */
    clear() {
      clearTimeout(timer);
      timer = 0;
      strokes = [];
      repaint();
    },
    unmount() {
      clearTimeout(timer);
      listeners.abort();
    },
  };
}

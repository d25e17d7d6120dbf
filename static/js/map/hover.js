/**
 * Shows the test image whose code is under a resting mouse, and its reconstruction. A click encodes that image and
 * moves the point to its code.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { codeOf, nearestFoot } from '../latent/atlas.js';
import { labelsOf } from '../latent/labels.js';
import { find, findAll } from '../lib/dom.js';
import { planeU, planeV, screenX, screenY } from './camera.js';
import { placeLabels } from './label-layout.js';

/** How near to a code the mouse must be, CSS pixels. */
const NEAR = 7;
const REST_MILLISECONDS = 90;
/** Distance of the card from the code, CSS pixels. */
const OFFSET = 12;
/** A click moves no farther than this, CSS pixels. */
const STILL = 4;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const map = find(root, '.map', HTMLElement);
  const figure = find(root, '.hover', HTMLElement);
  const [image, reconstruction] = findAll(figure, 'img', HTMLImageElement);
  const caption = find(figure, 'figcaption', HTMLElement);
  const listeners = new AbortController();
  let timer = 0;
  /** Index of the test image that is shown; -1: none. */
  let shown = -1;
  let place = { x: 0, y: 0 };
  /** What was shown when the mouse was pressed, and the mouse's position. */
  let pressed = { index: -1, x: 0, y: 0 };

  const hide = () => {
    clearTimeout(timer);
    if (shown < 0) return;
    figure.hidden = true;
    shown = -1;
  };

  /** @type {(x: number, y: number) => void} */
  function show(x, y) {
    const { atlas, view } = store.get();
    if (!atlas || !view) return;
    const { camera } = view;
    const index = nearestFoot(atlas, { u: planeU(camera, x), v: planeV(camera, y) });
    if (index < 0) return;
    const codeX = screenX(camera, atlas.feet[2 * index]);
    const codeY = screenY(camera, atlas.feet[2 * index + 1]);
    if (Math.hypot(codeX - x, codeY - y) > NEAR) return;
    const { card, codes } = atlas;
    image.src = api.testImageUrl(card.dataset, index);
    reconstruction.src = api.decodedUrl(card.id, codeOf(atlas, index));
    caption.textContent = `Test image ${index}, ${labelsOf(card.dataset)[codes.labels[index]].one}, and its decode`;
    shown = index;
    place = { x: codeX, y: codeY };
    figure.hidden = false;
    const [left, top] = cornerFor(figure, codeX, codeY, view);
    figure.style.transform = `translate(${left}px, ${top}px)`;
  }

  /** @param {PointerEvent} event */
  function rest(event) {
    if (event.pointerType !== 'mouse' || event.buttons) return hide();
    const { offsetX, offsetY } = event; // forces a layout, so it is not read in a drag
    // A resting hand still moves a little.
    if (shown >= 0 && Math.hypot(place.x - offsetX, place.y - offsetY) < NEAR) return;
    hide();
    timer = setTimeout(() => show(offsetX, offsetY), REST_MILLISECONDS);
  }

  /** @param {PointerEvent} event */
  function press({ clientX: x, clientY: y, pointerType }) {
    pressed = { index: pointerType === 'mouse' ? shown : -1, x, y };
    hide();
  }

  /** @param {MouseEvent} event */
  function take({ clientX, clientY, timeStamp }) {
    const { atlas } = store.get();
    const { index, x, y } = pressed;
    pressed = { index: -1, x, y };
    if (!atlas || index < 0 || Math.hypot(clientX - x, clientY - y) > STILL) return;
    store.set({ testImage: index, latent: codeOf(atlas, index), touched: true, movedAt: timeStamp, playing: false });
  }

  const { signal } = listeners;
  map.addEventListener('pointermove', rest, { signal });
  map.addEventListener('pointerdown', press, { signal });
  map.addEventListener('click', take, { signal });
  map.addEventListener('pointerleave', hide, { signal });
  return () => {
    hide();
    listeners.abort();
  };
}

/**
 * Return the left upper corner of the card for a code: beside it, inside the map, and under no other card.
 *
 * @param {HTMLElement} figure
 * @param {number} x  of the code
 * @param {number} y
 * @param {import('../store.js').View} view
 */
function cornerFor({ offsetWidth: width, offsetHeight: height }, x, y, view) {
  const [dx, dy] = [OFFSET + width / 2, OFFSET + height / 2];
  const middle = Math.max(width / 2, Math.min(x, view.width - width / 2)); // for a map that is hardly wider than the card
  const places = [[x + dx, y - dy], [x - dx, y - dy], [x + dx, y + dy], [x - dx, y + dy], [middle, y - dy], [middle, y + dy]];
  const card = { width, height, places: places.map(([left, top]) => ({ x: left, y: top })) };
  const [rect] = placeLabels([card], view.covers, { left: 0, top: 0, right: view.width, bottom: view.height });
  return rect ? [rect.left, rect.top] : [middle - width / 2, y - dy - height / 2];
}

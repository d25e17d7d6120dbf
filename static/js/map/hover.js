/**
 * The test image behind the code under a resting mouse.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { nearestFoot } from '../atlas.js';
import { planeU, planeV, screenX, screenY } from '../camera.js';
import { find } from '../elements.js';
import { labelsOf } from '../labels.js';

/** How near to a code the mouse must be, in CSS pixels. */
const NEAR = 7;
const REST_MILLISECONDS = 90;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const map = find(root, '.map', HTMLElement);
  const plate = find(root, '.hover', HTMLElement);
  const image = find(plate, 'img', HTMLImageElement);
  const caption = find(plate, 'figcaption', HTMLElement);
  const listeners = new AbortController();
  let timer = 0;

  const hide = () => {
    clearTimeout(timer);
    plate.hidden = true;
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
    image.src = api.testImageAddress(atlas.card.dataset, index);
    const label = labelsOf(atlas.card.dataset)[atlas.codes.labels[index]];
    caption.textContent = `Test image ${index}, ${label.one}`;
    plate.style.transform = `translate(${codeX}px, ${codeY}px)`;
    plate.hidden = false;
  }

  /** @param {PointerEvent} event */
  function rest(event) {
    hide();
    if (event.pointerType !== 'mouse' || event.buttons) return;
    const { offsetX, offsetY } = event;
    timer = setTimeout(() => show(offsetX, offsetY), REST_MILLISECONDS);
  }

  const { signal } = listeners;
  map.addEventListener('pointermove', rest, { signal });
  map.addEventListener('pointerdown', hide, { signal });
  map.addEventListener('pointerleave', hide, { signal });
  return () => {
    hide();
    listeners.abort();
  };
}

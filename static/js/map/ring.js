/**
 * The ring marks the point, shows its decoded image, and is the handle by which mouse, pen and touch drag it. Only
 * its transform changes, so a drag causes no layout.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { footOf } from '../latent/plane.js';
import { find } from '../lib/dom.js';
import { imagePainter } from '../lib/pixels.js';
import { planeU, planeV, screenX, screenY } from './camera.js';
import { createPointMover } from './move-point.js';

/** How far the lens is raised off a finger or a posterior that it would cover, CSS pixels. */
const LIFT = 72;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const map = find(root, '.map', HTMLElement);
  const ring = find(root, '.ring', HTMLElement);
  const paint = imagePainter(find(root, '.lens canvas', HTMLCanvasElement));
  const mover = createPointMover(map, store);
  const listeners = new AbortController();
  /** Offset of the pointer from the point when the drag began. */
  let grip = { x: 0, y: 0 };
  /** Id of the pointer that drags the ring; -1: none. */
  let pointer = -1;
  /** Its last position in the window. */
  let last = { x: NaN, y: NaN };
  /** Whether a raw update has moved the ring since the last frame. */
  let isAhead = false;

  /** @param {PointerEvent} event */
  function press(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    const { atlas, view, latent } = store.get();
    if (!atlas || !view || !latent) return;
    const foot = footOf(atlas.plane, latent);
    grip = {
      x: event.clientX - screenX(view.camera, foot.u),
      y: event.clientY - screenY(view.camera, foot.v),
    };
    pointer = event.pointerId;
    isAhead = false;
    mover.measure();
    ring.setPointerCapture(pointer);
    ring.dataset.state = event.pointerType === 'touch' ? 'lifted' : 'held';
    follow(event);
  }

  /** @param {PointerEvent} event */
  function follow(event) {
    const { view } = store.get();
    if (!view) return;
    last = { x: event.clientX, y: event.clientY };
    const { camera } = view;
    const u = planeU(camera, event.clientX - grip.x);
    const v = planeV(camera, event.clientY - grip.y);
    mover.moveTo({ u, v }, event.timeStamp);
  }

  /**
   * Handle the first raw update after a frame. Later ones would be replaced before anybody saw them.
   *
   * @param {Event} event
   */
  function dragRaw(event) {
    if (isAhead || !(event instanceof PointerEvent) || event.pointerId !== pointer) return;
    isAhead = true;
    follow(event);
  }

  /** @param {PointerEvent} event */
  function drag(event) {
    if (event.pointerId !== pointer) return;
    isAhead = false;
    if (event.clientX !== last.x || event.clientY !== last.y) follow(event);
  }

  /** The pointer was released, or a second finger joined and the map captured both. */
  const release = () => {
    pointer = -1;
    delete ring.dataset.state;
  };

  const { signal } = listeners;
  ring.addEventListener('pointerdown', press, { signal });
  ring.addEventListener('pointermove', drag, { signal });
  // Some browsers report a move at once and not only before they paint, so the image arrives a frame earlier.
  ring.addEventListener('pointerrawupdate', dragRaw, { signal });
  ring.addEventListener('lostpointercapture', release, { signal });

  const ends = [
    store.watch(['latent', 'view', 'atlas', 'posterior'], ({ atlas, view, latent, posterior }) => {
      ring.hidden = !(atlas && view && latent);
      if (!atlas || !view || !latent) return;
      const { u, v } = footOf(atlas.plane, latent);
      const [x, y] = [screenX(view.camera, u), screenY(view.camera, v)];
      ring.style.transform = `translate(${x}px, ${y}px)`;
      const mean = posterior?.mean && footOf(atlas.plane, posterior.mean);
      const away = mean ? Math.hypot(mean.u - u, mean.v - v) * view.camera.scale : Infinity;
      ring.toggleAttribute('data-aside', away < LIFT / 2);
    }),
    store.watch(['frame'], ({ frame }) => frame && paint(frame.pixels, frame.image)),
    store.watch(['isBehind'], ({ isBehind }) => ring.toggleAttribute('data-behind', isBehind)),
    store.watch(['touched', 'panel'], ({ touched, panel }) => {
      ring.toggleAttribute('data-inviting', !touched && panel === 'point');
    }),
  ];
  return () => {
    listeners.abort();
    ends.forEach((end) => end());
  };
}

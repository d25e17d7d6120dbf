/**
 * The ring: the point, with the image that it decodes to inside. Dragged by mouse, pen and touch, moved by
 * keys; a press anywhere on the map brings it there. It is moved by transform alone, so a drag lays nothing out.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../camera.js').Point} Point
 * @typedef {import('../camera.js').Rect} Rect
 */
import { clamp, outside, planeU, planeV, roundLength, screenX, screenY } from '../camera.js';
import { digitPainter } from '../digits.js';
import { find, findAll } from '../elements.js';
import { footOf, latentAt, movedTo } from '../plane.js';

/** An arrow key moves the point by about this part of what is in reach; with shift, by a tenth of that. */
const KEY_STEP = 1 / 50;

/** The point keeps this far from what covers the map, in CSS pixels, so that its ring can be taken again. */
const CLEARANCE = 12;

/** How far the lens is lifted off what it would cover, a finger or a posterior, in CSS pixels. */
const LIFT = 72;

/** @type {Readonly<Record<string, readonly [number, number]>>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const map = find(root, '#map', HTMLElement);
  const ring = find(root, '#ring', HTMLElement);
  const paint = digitPainter(find(root, '#lens', HTMLCanvasElement));
  const listeners = new AbortController();
  /** From the point to the pointer that took it, with the map's own place in the window. */
  let grip = { x: 0, y: 0 };
  /** What covers the map, measured when a gesture starts. @type {Rect[]} */
  let sheets = [];

  function measure() {
    const { left, top } = map.getBoundingClientRect();
    sheets = findAll(root, '.sheet:not([hidden], [popover], #hover)', HTMLElement).map((sheet) => {
      const rect = sheet.getBoundingClientRect();
      return {
        left: rect.left - left - CLEARANCE,
        top: rect.top - top - CLEARANCE,
        right: rect.right - left + CLEARANCE,
        bottom: rect.bottom - top + CLEARANCE,
      };
    });
  }

  /** @type {(point: Point, movedAt: number) => void} */
  function moveTo(point, movedAt) {
    const { atlas, view, latent } = store.get();
    if (!atlas || !view || !latent) return;
    const { camera, reach } = view;
    const { u, v } = clamp(reach, point);
    const free = outside({ x: screenX(camera, u), y: screenY(camera, v) }, sheets);
    const moved = movedTo(atlas.plane, latent, { u: planeU(camera, free.x), v: planeV(camera, free.y) });
    store.set({ latent: moved, movedAt, touched: true, playing: false });
  }

  /** @param {PointerEvent} event */
  function follow(event) {
    const { view } = store.get();
    if (!view) return;
    const { camera } = view;
    const u = planeU(camera, event.clientX - grip.x);
    const v = planeV(camera, event.clientY - grip.y);
    moveTo({ u, v }, event.timeStamp);
  }

  /** @param {PointerEvent} event */
  function press(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    const { atlas, view, latent } = store.get();
    if (!atlas || !view || !latent) return;
    const foot = footOf(atlas.plane, latent);
    const x = event.offsetX - screenX(view.camera, foot.u);
    const y = event.offsetY - screenY(view.camera, foot.v);
    const radius = ring.offsetWidth / 2;
    const isOnLens = 'aside' in ring.dataset && Math.hypot(x, y + LIFT) <= radius;
    const isOnRing = isOnLens || Math.hypot(x, y) <= radius;
    grip = { x: event.clientX - event.offsetX, y: event.clientY - event.offsetY };
    if (isOnRing) grip = { x: grip.x + x, y: grip.y + y };
    measure();
    map.setPointerCapture(event.pointerId);
    ring.dataset.state = event.pointerType === 'touch' ? 'lifted' : 'held';
    follow(event);
  }

  /** @param {Event} event */
  function drag(event) {
    if (event instanceof PointerEvent && map.hasPointerCapture(event.pointerId)) follow(event);
  }

  const release = () => {
    delete ring.dataset.state;
  };

  /** @param {KeyboardEvent} event */
  function key(event) {
    const { atlas, view, latent } = store.get();
    if (!atlas || !view || !latent || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Home') {
      event.preventDefault();
      const home = latentAt(atlas.plane, { u: 0, v: 0 });
      store.set({ latent: home, movedAt: event.timeStamp, touched: true, playing: false });
      return;
    }
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    measure();
    const step = roundLength((view.reach.v1 - view.reach.v0) * KEY_STEP) / (event.shiftKey ? 10 : 1);
    const { u, v } = footOf(atlas.plane, latent);
    moveTo({ u: u + arrow[0] * step, v: v + arrow[1] * step }, event.timeStamp);
  }

  const { signal } = listeners;
  map.addEventListener('pointerdown', press, { signal });
  // Where the browser tells of a move at once, not just before it paints, the image comes a frame earlier.
  map.addEventListener('onpointerrawupdate' in map ? 'pointerrawupdate' : 'pointermove', drag, { signal });
  map.addEventListener('lostpointercapture', release, { signal });
  map.addEventListener('keydown', key, { signal });

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
    store.watch(['frame'], ({ frame }) => frame && paint(frame.pixels)),
    store.watch(['touched'], ({ touched }) => {
      ring.dataset.touched = `${touched}`;
    }),
  ];
  return () => {
    listeners.abort();
    ends.forEach((end) => end());
  };
}

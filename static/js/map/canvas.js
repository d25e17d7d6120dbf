/**
 * The map's canvas: all layers under one camera. It is painted when something on it has changed, and a drag
 * changes nothing on it: the ring is an element above it.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../theme.js').Theme} Theme
 */
import { contextOf } from '../digits.js';
import { find } from '../elements.js';
import { watchTheme } from '../theme.js';
import { createBackdrop } from './backdrop.js';
import { paintCodes, paintNames } from './codes.js';
import { paintFrame, paintGraticule, paintPriorNames } from './graticule.js';
import { paintPosterior, paintRoute } from './marks.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const canvas = find(root, '#plane', HTMLCanvasElement);
  const context = contextOf(canvas, { alpha: false });
  const dots = document.createElement('canvas');
  const dotsContext = contextOf(dots);
  /** @type {Theme} */
  let theme;
  let areDotsStale = true;
  let frame = 0;

  const repaint = () => {
    frame ||= requestAnimationFrame(paint);
  };
  const backdrop = createBackdrop(store, api, repaint);

  function paint() {
    frame = 0;
    const { atlas, view, digits, posterior, route } = store.get();
    if (!atlas || !view) return clear();
    const { camera, width, height } = view;
    const density = Math.min(devicePixelRatio, 2);
    if (areDotsStale) {
      fitTo(dots, dotsContext, width, height, density);
      paintCodes(dotsContext, camera, atlas, digits, theme);
      areDotsStale = false;
    }
    fitTo(canvas, context, width, height, density);
    context.fillStyle = theme.ground;
    context.fillRect(0, 0, width, height);
    backdrop.paint(context, camera);
    paintGraticule(context, view, atlas, theme);
    context.drawImage(dots, 0, 0, width, height);
    const margin = parseFloat(getComputedStyle(canvas).getPropertyValue('--frame')) || 0;
    if (!margin) paintFrame(context, view, margin, theme); // its numbers stand in the map, below all names
    paintPriorNames(context, view, atlas, theme);
    paintNames(context, camera, atlas, digits, theme);
    if (posterior) paintPosterior(context, camera, atlas, posterior, theme);
    if (route) paintRoute(context, camera, atlas, route, theme);
    if (margin) paintFrame(context, view, margin, theme);
    canvas.dataset.state = 'painted';
  }

  /** A model without a plane has nothing to show here. */
  function clear() {
    if (!store.get().shown) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = theme.ground;
    context.fillRect(0, 0, canvas.width, canvas.height);
    canvas.dataset.state = 'empty';
  }

  const ends = [
    watchTheme((current) => {
      theme = current;
      backdrop.dye(theme);
      areDotsStale = true;
      repaint();
    }),
    store.watch(['atlas', 'view', 'digits'], () => {
      areDotsStale = true;
      repaint();
    }),
    store.watch(['posterior', 'route', 'shown'], repaint),
    backdrop.stop,
  ];
  return () => {
    cancelAnimationFrame(frame);
    ends.forEach((end) => end());
  };
}

/**
 * Make a canvas as large as the map, in device pixels, and empty.
 *
 * @type {(canvas: HTMLCanvasElement, context: CanvasRenderingContext2D, width: number, height: number,
 *   density: number) => void}
 */
function fitTo(canvas, context, width, height, density) {
  const [w, h] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
}

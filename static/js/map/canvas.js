/**
 * The map's canvas: all layers under one camera. It is painted when something on it has changed. A drag of the point
 * changes nothing on it, because the ring is an element above it. The first codes set the mark `dots` in `performance`,
 * the first complete map the mark `map`.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../store.js').View} View
 * @typedef {import('../lib/theme.js').Theme} Theme
 * @typedef {import('./dots.js').Painter} Painter
 */
import { hasLabels } from '../latent/atlas.js';
import { hasCollapsed } from '../latent/measures.js';
import { find } from '../lib/dom.js';
import { isColour } from '../lib/image-shape.js';
import { contextOf } from '../lib/pixels.js';
import { watchTheme } from '../lib/theme.js';
import { strength } from '../map-layers.js';
import { createContourLayer } from './contour-layer.js';
import { createPixelPainter } from './dots-pixels.js';
import { createCardPainter } from './dots-webgl.js';
import { createPainter, lookOf, presence } from './dots.js';
import { createFieldLayer } from './field-layer.js';
import { axisNumbers, paintFrame, paintGraticule, paintPrior, priorNames } from './graticule.js';
import { createImageLayer, visibleCodes } from './image-layer.js';
import { namesOf, paintTexts } from './label-layer.js';
import { paintNeighbours, paintOtherPath, paintPath, paintPosterior } from './posterior-layer.js';
import { grown } from './rects.js';
import { createRingAtRest } from './ring-at-rest.js';
import { createSpreadLayer } from './spread-layer.js';
import { extentOf } from './tile-grid.js';
import { createTileLayer } from './tile-layer.js';
import { atlasAt, createTrainingLayer } from './training-layer.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const canvas = find(root, '.plane', HTMLCanvasElement);
  const context = contextOf(canvas, { alpha: false });
  /** Quick to make; the graphics card takes over once the map is there. @type {Painter} */
  let dots = createPixelPainter();
  /** @type {Theme} */
  let theme;
  let areDotsStale = true;
  /** The texts that were painted last. @type {({text: string} & import('./camera.js').Rect)[]} */
  let placed = [];
  let hasFields = false;
  /**
   * The plane that has its texts: they come a frame after its codes. Undefined: nothing has been painted.
   *
   * @type {import('../latent/plane.js').Plane | null | undefined}
   */
  let labelled;
  let frame = 0;

  const repaint = () => {
    frame ||= requestAnimationFrame(paint);
  };
  const tiles = createTileLayer(store, api, repaint);
  const fields = createFieldLayer(store, api, repaint);
  const images = createImageLayer(api, repaint);
  const spreads = createSpreadLayer(api, repaint);
  const contours = createContourLayer(store, api, repaint);
  const training = createTrainingLayer();
  const ring = createRingAtRest(root, store, repaint);

  function paint() {
    frame = 0;
    const { atlas, view } = store.get();
    if (!atlas || !view) return clear();
    const density = Math.min(devicePixelRatio, 2);
    fitTo(canvas, view.width, view.height, density);
    if (dots.isLost()) [dots, areDotsStale] = [createPainter(), true];
    const hasTexts = labelled === atlas.base;
    const isWhole = draw(context, atlas, view, density, dots, areDotsStale, { hasTexts });
    if (labelled === undefined) {
      performance.mark('dots');
      labelled = null;
    }
    if (!hasTexts && atlas.landmarks.length > 0) {
      labelled = atlas.base;
      repaint();
    }
    areDotsStale &&= !store.get().layers.codes.isOn;
    if (hasTexts) canvas.dataset.state = 'painted';
    canvas.dataset.tiles = isWhole && hasTexts ? 'whole' : 'loading';
    canvas.dataset.fields = hasFields ? 'whole' : 'loading';
    canvas.dataset.texts = JSON.stringify(placed);
    if (!isWhole || !hasTexts || store.get().isMapDrawn) return;
    performance.mark('map');
    store.set({ isMapDrawn: true });
    setTimeout(useCard);
  }

  function useCard() {
    const painter = createCardPainter();
    if (!painter) return;
    [dots, areDotsStale] = [painter, true];
    repaint();
  }

  /**
   * Paint all layers on a canvas of the view's size times the density.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {Atlas} atlas
   * @param {View} view
   * @param {number} density  device pixels per CSS pixel
   * @param {Painter} dots
   * @param {boolean} areDotsStale
   * @param {object} [what]
   * @param {boolean} [what.isFramed]
   * @param {boolean} [what.hasTexts]
   * @returns {boolean}  whether all tiles have loaded
   */
  function draw(context, atlas, view, density, dots, areDotsStale, { isFramed = true, hasTexts = true } = {}) {
    const { digits, layers, posterior, pathLatents, otherPaths, trainingTime } = store.get();
    const { camera, width, height } = view;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = theme.ground;
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    const extent = extentOf(atlas.plane);
    context.setTransform(density, 0, 0, density, 0, 0);
    hasFields = Boolean(trainingTime) || fields.paint(context, camera, extent);
    context.setTransform(1, 0, 0, 1, 0, 0);
    let isWhole = true;
    const tileOpacity = coverOf(layers.tiles.opacity, atlas.card.image);
    if (trainingTime) {
      context.setTransform(density, 0, 0, density, 0, 0);
      training.paint(context, camera, trainingTime, tileOpacity);
    } else if (layers.tiles.isOn) {
      context.globalAlpha = tileOpacity;
      isWhole = tiles.paint(context, view, extent, density);
      context.globalAlpha = 1;
    }
    context.setTransform(density, 0, 0, density, 0, 0);
    paintGraticule(context, view, extent, theme);
    const contourStrength = strength(layers.contours);
    if (contourStrength && !trainingTime) contours.paint(context, camera, extent, theme, contourStrength);
    const prior = strength(layers.prior);
    if (prior) paintPrior(context, view, atlas, theme, prior);
    if (layers.codes.isOn) {
      if (areDotsStale) {
        const shown = trainingTime ? atlasAt(atlas, trainingTime) : atlas;
        dots.paint(view, shown, lookOf(camera.scale, digits, theme, density), density);
      }
      context.globalAlpha = layers.codes.opacity * presence(atlas, view);
      context.drawImage(dots.canvas, 0, 0, width, height);
      context.globalAlpha = 1;
    }
    if (layers.images.isOn && !trainingTime) {
      context.globalAlpha = layers.images.opacity;
      const inSight = visibleCodes(view, atlas, digits);
      canvas.dataset.spreads = String(spreads.paint(context, view, atlas, inSight, theme));
      images.paint(context, view, atlas, inSight, theme);
      context.globalAlpha = 1;
    }
    const margin = parseFloat(getComputedStyle(canvas).getPropertyValue('--frame')) || 0;
    // All codes in one place have no order, and one name for all says nothing.
    const hasNames = layers.names.isOn && !trainingTime && !hasCollapsed(atlas.card) && hasLabels(atlas);
    const texts = !hasTexts ? [] : [
      ...(hasNames ? namesOf(context, view, atlas, digits, theme, layers.names.opacity) : []),
      ...(prior ? priorNames(context, view, atlas, theme) : []),
      ...(margin || !isFramed ? [] : axisNumbers(context, view, theme)),
    ];
    const inside = grown({ left: 0, top: 0, right: width, bottom: height }, -margin);
    const rects = paintTexts(context, texts, [...view.covers, ...ring.obstacles()], inside, theme);
    placed = texts.flatMap(({ text }, i) => rects[i] ? { text, ...rects[i] } : []);
    if (posterior && !trainingTime) {
      paintNeighbours(context, camera, atlas, posterior, theme);
      paintPosterior(context, camera, atlas, posterior, theme);
    }
    for (const latents of otherPaths) paintOtherPath(context, camera, atlas, latents, theme);
    if (pathLatents) paintPath(context, camera, atlas, pathLatents, theme);
    if (margin && isFramed) paintFrame(context, view, margin, theme);
    return isWhole;
  }

  /** @type {(density: number, isFramed: boolean) => HTMLCanvasElement | null} */
  function renderMap(density, isFramed) {
    const { atlas, view } = store.get();
    if (!atlas || !view) return null;
    const sheet = document.createElement('canvas');
    fitTo(sheet, view.width, view.height, density);
    draw(contextOf(sheet), atlas, view, density, createPixelPainter(), true, { isFramed });
    return sheet;
  }
  store.set({ renderMap });

  /** Clear the canvas for a model without a plane. */
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
      tiles.setTheme(theme);
      fields.setTheme(theme);
      images.setTheme(theme);
      training.setTheme(theme);
      areDotsStale = true;
      repaint();
    }),
    store.watch(['atlas', 'view', 'digits', 'trainingTime'], () => {
      areDotsStale = true;
      repaint();
    }),
    store.watch(['posterior', 'pathLatents', 'otherPaths', 'shown', 'layers'], repaint),
    tiles.stop,
    fields.stop,
    contours.stop,
    ring.stop,
  ];
  return () => {
    cancelAnimationFrame(frame);
    ends.forEach((end) => end());
  };
}

/**
 * Give a canvas the size of the map, in device pixels.
 *
 * @type {(canvas: HTMLCanvasElement, width: number, height: number, density: number) => void}
 */
function fitTo(canvas, width, height, density) {
  const [w, h] = [Math.round(width * density), Math.round(height * density)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
}

/**
 * Return the opacity at which images are painted: ink lets the map's regions through, but a colour would be another one.
 *
 * @type {(opacity: number, shape: import('../lib/image-shape.js').ImageShape) => number}
 */
const coverOf = (opacity, shape) => (isColour(shape) ? 1 - (1 - opacity) ** 3 : opacity);

/**
 * Saves the view as a file: the map and the point as a PNG, or as an SVG with frame and legend.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { labelsOf } from '../latent/labels.js';
import { footOf } from '../latent/plane.js';
import { find, saveFile } from '../lib/dom.js';
import { contextOf, imagePainter } from '../lib/pixels.js';
import { roundLength } from '../lib/round-numbers.js';
import { watchTheme } from '../lib/theme.js';
import { screenX, screenY, visibleBox } from '../map/camera.js';
import { RADIUS, sheetOf, ticksOf } from './save-sheet.js';

/** The largest distance between coordinates at the edge, CSS pixels. */
const MAX_SPACING = 140;
/** A sheet is to be sent by mail and opened by editors: its picture takes at most this many characters. */
const MAX_PICTURE = 950_000;
/** Of the JPEG, which every editor of SVG reads. */
const QUALITIES = [0.92, 0.85, 0.75, 0.6, 0.45];

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const sheet = find(root, '#save', HTMLElement);
  const scale = find(sheet, '#save-scale', HTMLSelectElement);
  const listeners = new AbortController();
  /** @type {Theme} */
  let theme;

  /** Return the ring's place on the map and its image in the theme's colours. */
  function point() {
    const { atlas, view, latent, frame } = store.get();
    if (!atlas || !view || !latent || !frame) return null;
    const foot = footOf(atlas.plane, latent);
    const lens = document.createElement('canvas');
    imagePainter(lens)(theme.isDark ? frame.pixels : frame.pixels.map((level) => 255 - level));
    return { x: screenX(view.camera, foot.u), y: screenY(view.camera, foot.v), lens };
  }

  function savePicture() {
    const { renderMap, model } = store.get();
    const density = Number(scale.value);
    const canvas = renderMap?.(density, true);
    if (!canvas) return;
    const ring = point();
    if (ring) {
      const context = contextOf(canvas);
      context.setTransform(density, 0, 0, density, 0, 0);
      context.beginPath();
      context.arc(ring.x, ring.y, RADIUS, 0, 2 * Math.PI);
      context.save();
      context.clip();
      context.drawImage(ring.lens, ring.x - RADIUS, ring.y - RADIUS, 2 * RADIUS, 2 * RADIUS);
      context.restore();
      context.strokeStyle = theme.accent;
      context.lineWidth = 3;
      context.stroke();
    }
    canvas.toBlob((file) => file && saveFile(file, `${model}.png`), 'image/png');
  }

  function saveSheet() {
    const { renderMap, shown, atlas, view } = store.get();
    const picture = renderMap && pictureOf(renderMap, Number(scale.value));
    if (!picture || !shown || !atlas || !view) return;
    const { camera, width, height } = view;
    const box = visibleBox({ camera, width, height });
    const step = roundLength(MAX_SPACING / camera.scale);
    const ring = point();
    const [labels, count] = [labelsOf(shown.dataset), atlas.codes.count.toLocaleString('en')];
    const text = sheetOf({
      width,
      height,
      picture,
      title: shown.title,
      subtitle: `${atlas.plane.title}; ${labels.length} labels of ${count} test images`,
      columns: ticksOf(box.u0, box.u1, width, step),
      rows: ticksOf(box.v1, box.v0, height, step),
      point: ring && { x: ring.x, y: ring.y, picture: ring.lens.toDataURL('image/png') },
      key: labels.map(({ name }, label) => ({ name, colour: theme.digits[label] })),
      theme,
    });
    saveFile(new Blob([text], { type: 'image/svg+xml' }), `${shown.id}.svg`);
  }

  const { signal } = listeners;
  find(sheet, '#save-png', HTMLButtonElement).addEventListener('click', savePicture, { signal });
  find(sheet, '#save-svg', HTMLButtonElement).addEventListener('click', saveSheet, { signal });
  const unwatch = watchTheme((current) => (theme = current));
  return () => {
    listeners.abort();
    unwatch();
  };
}

/**
 * Return the map as a JPEG that is small enough, as large as that allows.
 *
 * @param {NonNullable<import('../store.js').State['renderMap']>} renderMap
 * @param {number} largest  pixels per CSS pixel
 * @returns {string}  a data URL; empty: no model with a plane is shown
 */
function pictureOf(renderMap, largest) {
  let picture = '';
  for (let density = largest; density >= 1; density--) {
    const canvas = renderMap(density, false);
    for (const quality of QUALITIES) {
      picture = canvas?.toDataURL('image/jpeg', quality) ?? '';
      if (picture.length <= MAX_PICTURE) return picture;
    }
  }
  return picture;
}

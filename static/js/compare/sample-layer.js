/**
 * Samples of the prior on a map, each as the small image that it decodes to. Samples far from every code have a frame
 * in the accent colour.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../lib/theme.js').Theme} Theme
 * @typedef {import('../latent/plane.js').Latent} Latent
 *
 * @typedef {object} Samples
 * @property {readonly Latent[]} latents
 * @property {readonly Uint8Array[]} levels  the numbers of each image
 * @property {import('../lib/image-shape.js').ImageShape} image  its shape
 * @property {readonly boolean[]} isStray  whether it lies far from every code
 */
import { footOf } from '../latent/plane.js';
import { longestOf } from '../lib/image-shape.js';
import { contextOf } from '../lib/pixels.js';
import { prefersStillness, watchTheme } from '../lib/theme.js';
import { boxOf, screenX, screenY } from '../map/camera.js';
import { createTint } from '../map/tint.js';

/** The longer side of an image is at most its own, or this, and at least the other, CSS pixels. */
const MAX_SIZE = 48;
const MIN_SIZE = 11;
/** While the map shows its whole, at least this many images fit side by side. */
const IMAGES_PER_SIDE = 26;
/** The frame's width, of an ordinary sample and of a stray, CSS pixels. */
const FRAME = 1;
const STRAY_FRAME = 2;
/** Samples appear one after another over this time. */
const APPEAR_MILLISECONDS = 1200;

/**
 * @param {HTMLElement} map
 * @param {Store} store
 */
export function createSampleLayer(map, store) {
  const canvas = document.createElement('canvas');
  canvas.className = 'sample-layer';
  canvas.setAttribute('aria-hidden', 'true');
  map.querySelector('.plane')?.after(canvas);
  const context = contextOf(canvas);
  const tint = createTint();
  /** @type {Theme} */
  let theme;
  /** @type {Samples | null} */
  let samples = null;
  /** @type {readonly HTMLCanvasElement[]} */
  let images = [];
  let raf = 0;
  let shownAt = -Infinity;

  const repaint = () => {
    raf ||= requestAnimationFrame(paint);
  };

  function paint() {
    raf = 0;
    const { atlas, view } = store.get();
    canvas.hidden = !samples || !atlas || !view;
    if (!samples || !atlas || !view) return;
    const { camera, width, height, reach } = view;
    const density = Math.min(devicePixelRatio, 2);
    Object.assign(canvas, { width: Math.round(width * density), height: Math.round(height * density) });
    context.setTransform(density, 0, 0, density, 0, 0);
    context.beginPath();
    const [left, top] = [screenX(camera, reach.u0), screenY(camera, reach.v1)];
    context.rect(left, top, screenX(camera, reach.u1) - left, screenY(camera, reach.v0) - top);
    context.clip();
    const { u0, v0, u1, v1 } = atlas.view;
    const whole = view.whole.scale * Math.max(u1 - u0, v1 - v0);
    const growth = Math.sqrt(Math.max(1, camera.scale / view.whole.scale));
    const own = Math.min(MAX_SIZE, longestOf(samples.image));
    const size = Math.round(Math.min(own, Math.max(MIN_SIZE, whole / IMAGES_PER_SIDE) * growth));
    const elapsed = performance.now() - shownAt;
    const count = samples.latents.length;
    const shownCount = Math.min(count, Math.ceil((count * elapsed) / APPEAR_MILLISECONDS));
    const visible = boxOf(camera, { left: -own, top: -own, right: width + own, bottom: height + own });
    for (let i = 0; i < shownCount; i++) {
      const { u, v } = footOf(atlas.plane, samples.latents[i]);
      if (u < visible.u0 || u > visible.u1 || v < visible.v0 || v > visible.v1) continue;
      const x = Math.round(screenX(camera, u) - size / 2);
      const y = Math.round(screenY(camera, v) - size / 2);
      const [frame, colour] = samples.isStray[i] ? [STRAY_FRAME, theme.accent] : [FRAME, theme.soft];
      context.fillStyle = colour;
      context.fillRect(x - frame, y - frame, size + 2 * frame, size + 2 * frame);
      context.fillStyle = theme.ground;
      context.fillRect(x, y, size, size);
      context.drawImage(images[i], x, y, size, size);
    }
    canvas.dataset.samples = `${shownCount}`;
    if (shownCount < count) repaint();
  }

  function tintAll() {
    const shape = samples?.image;
    images = (shape && samples?.levels.map((levels) => tint.fromLevels(levels, shape, 1))) ?? [];
  }

  const ends = [
    watchTheme((current) => {
      theme = current;
      tint.setColour(theme.ink);
      tintAll();
      repaint();
    }),
    store.watch(['view', 'atlas'], repaint),
  ];
  return {
    /** @param {Samples | null} taken  null: none */
    show(taken) {
      samples = taken;
      shownAt = prefersStillness() ? -Infinity : performance.now();
      tintAll();
      repaint();
    },

    stop() {
      cancelAnimationFrame(raf);
      ends.forEach((end) => end());
      canvas.remove();
    },
  };
}

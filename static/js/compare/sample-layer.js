/**
 * Latents drawn at random and thrown on a map, each as the small image that it decodes to. Those that fell where no
 * code is near stand in a frame of the accent.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../lib/theme.js').Theme} Theme
 * @typedef {import('../latent/plane.js').Latent} Latent
 *
 * @typedef {object} Draws
 * @property {readonly Latent[]} latents
 * @property {readonly Uint8Array[]} levels  784 grey levels each
 * @property {readonly boolean[]} isStray  whether it fell far from every code
 */
import { boxOf, screenX, screenY } from '../map/camera.js';
import { contextOf } from '../lib/pixels.js';
import { createDeveloper } from '../map/tint.js';
import { footOf } from '../latent/plane.js';
import { prefersStillness, watchTheme } from '../lib/theme.js';

/** Of a small image, CSS pixels; on a small map it is smaller. */
const SIZE = 28;
const LEAST_SIZE = 12;
/** So many would stand side by side on the whole. */
const ABREAST = 18;
/** Around it; a stray's is plain to see. */
const EDGE = 1;
const STRAY_EDGE = 3;
/** All have fallen after this. */
const FALL_MILLISECONDS = 1200;

/**
 * @param {HTMLElement} map
 * @param {Store} store
 */
export function createDraws(map, store) {
  const canvas = document.createElement('canvas');
  canvas.className = 'draws';
  canvas.setAttribute('aria-hidden', 'true');
  map.querySelector('.plane')?.after(canvas);
  const context = contextOf(canvas);
  const developer = createDeveloper();
  /** @type {Theme} */
  let theme;
  /** @type {Draws | null} */
  let draws = null;
  /** @type {readonly HTMLCanvasElement[]} */
  let prints = [];
  let raf = 0;
  let thrownAt = -Infinity;

  const repaint = () => {
    raf ||= requestAnimationFrame(paint);
  };

  function paint() {
    raf = 0;
    const { atlas, view } = store.get();
    canvas.hidden = !draws || !atlas || !view;
    if (!draws || !atlas || !view) return;
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
    const size = Math.round(Math.min(SIZE, Math.max(LEAST_SIZE, whole / ABREAST) * growth));
    const elapsed = performance.now() - thrownAt;
    const fallen = Math.min(draws.latents.length, Math.ceil((draws.latents.length * elapsed) / FALL_MILLISECONDS));
    const sight = boxOf(camera, { left: -SIZE, top: -SIZE, right: width + SIZE, bottom: height + SIZE });
    for (let i = 0; i < fallen; i++) {
      const { u, v } = footOf(atlas.plane, draws.latents[i]);
      if (u < sight.u0 || u > sight.u1 || v < sight.v0 || v > sight.v1) continue;
      const x = Math.round(screenX(camera, u) - size / 2);
      const y = Math.round(screenY(camera, v) - size / 2);
      const [edge, colour] = draws.isStray[i] ? [STRAY_EDGE, theme.accent] : [EDGE, theme.soft];
      context.fillStyle = colour;
      context.fillRect(x - edge, y - edge, size + 2 * edge, size + 2 * edge);
      context.fillStyle = theme.ground;
      context.fillRect(x, y, size, size);
      context.drawImage(prints[i], x, y, size, size);
    }
    canvas.dataset.draws = `${fallen}`;
    if (fallen < draws.latents.length) repaint();
  }

  function print() {
    prints = draws?.levels.map((levels) => developer.expose(levels)) ?? [];
  }

  const ends = [
    watchTheme((current) => {
      theme = current;
      developer.dye(theme.ink);
      print();
      repaint();
    }),
    store.watch(['view', 'atlas'], repaint),
  ];
  return {
    /** @param {Draws | null} thrown  null: none */
    show(thrown) {
      draws = thrown;
      thrownAt = prefersStillness() ? -Infinity : performance.now();
      print();
      repaint();
    },

    stop() {
      cancelAnimationFrame(raf);
      ends.forEach((end) => end());
      canvas.remove();
    },
  };
}

/**
 * One strip per kind of path between the same ends: its images, the lengths of its steps, and which kind is chosen.
 *
 * @typedef {import('../store.js').PathKind} PathKind
 * @typedef {import('../api.js').Interpolation} Interpolation
 */
import { barsOf } from '../latent/path.js';
import { find, findAll } from '../lib/dom.js';
import { dataUrl } from '../lib/pixels.js';

const CHART_HEIGHT = 12;

/**
 * @typedef {object} Strips
 * @property {(kind: PathKind, answer: Interpolation) => void} show
 * @property {() => void} clear
 * @property {(chosen: PathKind, frame: number) => void} mark
 */

/**
 * @param {HTMLElement} panel
 * @param {object} options
 * @param {number} options.every  steps of the answer per frame of a strip
 * @param {(kind: PathKind, frame: number) => void} options.onFrame  called when a frame is pressed
 * @param {AbortSignal} options.signal  removes the listeners
 * @returns {Strips}
 */
export function createStrips(panel, { every, onFrame, signal }) {
  /** @type {Map<PathKind, readonly number[]>} */
  const seen = new Map();
  const strips = findAll(panel, '.path-strip', HTMLElement).map((strip) => ({
    strip,
    kind: /** @type {PathKind} */ (strip.dataset.kind),
    frames: findAll(strip, 'img', HTMLImageElement),
    lengths: find(strip, '[data-part="lengths"]', HTMLElement),
    chart: find(strip, '.steps path', SVGPathElement),
  }));
  for (const { strip, kind, frames } of strips) {
    find(strip, '.frames', HTMLElement).addEventListener('click', ({ target }) => {
      const at = frames.findIndex((frame) => frame === target);
      if (at >= 0 && seen.has(kind)) onFrame(kind, at);
    }, { signal });
  }

  function showLengths() {
    const greatest = Math.max(...[...seen.values()].flat());
    for (const { kind, lengths, chart } of strips) {
      const steps = seen.get(kind);
      chart.setAttribute('d', steps ? barsOf(steps, greatest, CHART_HEIGHT) : '');
      lengths.textContent = steps ? inWords(steps) : '';
    }
  }

  return {
    show(kind, { images, seen_lengths: steps }) {
      const frames = strips.find((strip) => strip.kind === kind)?.frames ?? [];
      frames.forEach((frame, i) => (frame.src = dataUrl(images[i * every])));
      seen.set(kind, steps);
      showLengths();
    },
    clear() {
      for (const { frames } of strips) frames.forEach((frame) => frame.removeAttribute('src'));
      seen.clear();
      showLengths();
    },
    mark(chosen, frame) {
      for (const { strip, kind, frames } of strips) {
        strip.classList.toggle('chosen', kind === chosen);
        frames.forEach((image, i) => image.classList.toggle('here', i === frame));
      }
    },
  };
}

/** @type {(steps: readonly number[]) => string} */
function inWords(steps) {
  const whole = steps.reduce((sum, step) => sum + step, 0);
  return `changes by ${whole.toFixed(0)}, at most ${Math.max(...steps).toFixed(1)} at once`;
}

/**
 * Samples the prior for one of the two maps, and counts the samples that lie far from every code.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../store.js').DrawSource} DrawSource
 * @typedef {Pick<import('./sample-layer.js').Samples, 'latents' | 'levels'>} Drawn
 */
import { ApiError } from '../api.js';
import { typicalReach } from '../latent/describe-point.js';
import { drawFitted, drawStandard } from '../latent/draws.js';
import { hasCollapsed } from '../latent/measures.js';
import { createNearest } from '../latent/nearest.js';
import { numbersOf } from '../lib/image-shape.js';
import { levelsOf } from '../lib/pixels.js';
import { retry, busyFor } from '../lib/retry.js';
import { whenBack } from '../stream/when-back.js';
import { createSampleLayer } from './sample-layer.js';

/** How many samples one press of the button takes. */
export const SAMPLES = 60;

/**
 * @param {HTMLElement} map
 * @param {Store} page  holds `sampleSeed`
 * @param {Store} store  of the map
 * @param {Api} api
 * @param {(strays: number | null) => void} onCount  null: there are no samples
 * @param {(problem: string) => void} onProblem  called with an empty string when it is over
 */
export function mount(map, page, store, api, onCount, onProblem) {
  const layer = createSampleLayer(map, store);
  let request = new AbortController();
  let sampled = '';
  let said = '';

  /** @param {string} problem  empty: there is none any more */
  function say(problem) {
    if (problem !== said) onProblem(problem);
    said = problem;
  }

  async function sample() {
    const { atlas } = store.get();
    const { sampleSeed: seed, drawSource } = page.get();
    const wanted = atlas && seed ? `${atlas.card.sha256} ${seed} ${drawSource}` : '';
    if (wanted === sampled) return;
    sampled = wanted;
    request.abort();
    request = new AbortController();
    const { signal } = request;
    layer.show(null);
    onCount(null);
    say('');
    if (!atlas || !seed) return;
    try {
      const { latents, levels } = await retry(
        () => drawn(atlas, drawSource, seed, signal),
        { signal, onWait: (seconds) => say(busyFor(seconds)) },
      );
      const reach = await typicalReach(atlas.codes);
      if (signal.aborted) return;
      say('');
      const nearest = createNearest(atlas.codes, 1);
      // A collapsed posterior equals the prior, so no sample is far from it.
      const isCollapsed = hasCollapsed(atlas.card);
      const isStray = latents.map((latent) => !isCollapsed && nearest(latent).distance > reach);
      layer.show({ latents, levels, isStray, image: atlas.card.image });
      onCount(isStray.filter(Boolean).length);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      sampled = '';
      say(error.message);
    }
  }

  /** @type {(atlas: Atlas, source: DrawSource, seed: number, signal: AbortSignal) => Promise<Drawn>} */
  async function drawn({ card, codes }, source, seed, signal) {
    if (source === 'own') {
      const { latents, images } = await api.sample(card.id, SAMPLES, seed, signal);
      return { latents, levels: await Promise.all(images.map((one) => levelsOf(one, card.image.channels))) };
    }
    const latents = source === 'standard' ? drawStandard(codes.dim, SAMPLES, seed) : drawFitted(codes, SAMPLES, seed);
    const all = await api.decode(card.id, latents, signal);
    const length = numbersOf(card.image);
    return { latents, levels: latents.map((_, i) => all.subarray(length * i, length * (i + 1))) };
  }

  const ends = [
    store.watch(['atlas'], () => void sample()),
    page.watch(['sampleSeed', 'drawSource'], () => void sample()),
    whenBack(page, () => void sample()),
    page.watch(['latent', 'path', 'panel'], ({ touched, playing }) => {
      if (touched && !playing) say(''); // the visitor has gone on to something else
    }),
    layer.stop,
  ];
  return () => {
    request.abort();
    ends.forEach((end) => end());
  };
}

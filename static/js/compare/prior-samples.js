/**
 * Samples the prior for one of the two maps, and counts the samples that lie far from every code.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { ApiError } from '../api.js';
import { hasCollapsed, typicalReach } from '../latent/describe-point.js';
import { createNearest } from '../latent/nearest.js';
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
    const { sampleSeed: seed } = page.get();
    const wanted = atlas && seed ? `${atlas.card.id} ${seed}` : '';
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
      const { latents, images } = await retry(
        () => api.sample(atlas.card.id, SAMPLES, seed, signal),
        { signal, onWait: (seconds) => say(busyFor(seconds)) },
      );
      const levels = await Promise.all(images.map(levelsOf));
      if (signal.aborted) return;
      say('');
      const nearest = createNearest(atlas.codes, 1);
      const reach = typicalReach(atlas.codes);
      // A collapsed posterior equals the prior, so no sample is far from it.
      const isCollapsed = hasCollapsed(atlas.card);
      const isStray = latents.map((latent) => !isCollapsed && nearest(latent).distance > reach);
      layer.show({ latents, levels, isStray });
      onCount(isStray.filter(Boolean).length);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      sampled = '';
      say(error.message);
    }
  }

  const ends = [
    store.watch(['atlas'], () => void sample()),
    page.watch(['sampleSeed'], () => void sample()),
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

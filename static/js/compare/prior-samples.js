/**
 * Throws the draws that the page asks for on a map: asks the server for them, and counts those that fell far from
 * every code.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { Refusal } from '../api.js';
import { levelsOf } from '../lib/pixels.js';
import { createNearest } from '../latent/nearest.js';
import { hasCollapsed, ordinaryReach } from '../latent/describe-point.js';
import { createDraws } from './sample-layer.js';

export const THROWN = 60;

/**
 * @param {HTMLElement} map
 * @param {Store} page  whose `draws` is the seed
 * @param {Store} store  of the map
 * @param {Api} api
 * @param {(strays: number | null) => void} onCount  null: there are no draws
 * @param {(problem: string) => void} onProblem
 */
export function mount(map, page, store, api, onCount, onProblem) {
  const layer = createDraws(map, store);
  let request = new AbortController();
  let thrown = '';

  async function throwAgain() {
    const { atlas } = store.get();
    const { draws: seed } = page.get();
    const wanted = atlas && seed ? `${atlas.card.id} ${seed}` : '';
    if (wanted === thrown) return;
    thrown = wanted;
    request.abort();
    request = new AbortController();
    const { signal } = request;
    layer.show(null);
    onCount(null);
    if (!atlas || !seed) return;
    try {
      const { latents, images } = await api.sample(atlas.card.id, THROWN, seed, signal);
      const levels = await Promise.all(images.map(levelsOf));
      if (signal.aborted) return;
      const nearest = createNearest(atlas.codes, 1);
      const reach = ordinaryReach(atlas.codes);
      // Where every image has one code, its posterior is the prior, and no place is far from it.
      const isCollapsed = hasCollapsed(atlas.card);
      const isStray = latents.map((latent) => !isCollapsed && nearest(latent).distance > reach);
      layer.show({ latents, levels, isStray });
      onCount(isStray.filter(Boolean).length);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      thrown = '';
      onProblem(error.message);
    }
  }

  const ends = [
    store.watch(['atlas'], () => void throwAgain()),
    page.watch(['draws'], () => void throwAgain()),
    layer.stop,
  ];
  return () => {
    request.abort();
    ends.forEach((end) => end());
  };
}

/**
 * Speaks to screen readers in an aria-live region: describes the point once it rests, and says what others announce.
 *
 * @typedef {import('../store.js').Store} Store
 */
import { describeBriefly, typicalReach } from '../latent/describe-point.js';
import { labelsOf } from '../latent/labels.js';
import { createNearest } from '../latent/nearest.js';
import { find } from '../lib/dom.js';

const REST_MILLISECONDS = 400;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const live = find(root, '.announcer', HTMLElement);
  let timer = 0;
  let nearest = createNearest({ count: 0, dim: 0, values: new Float32Array(), labels: new Uint8Array() });

  async function say() {
    const { atlas, latent } = store.get();
    if (!atlas || !latent) return;
    const typical = await typicalReach(atlas.codes);
    if (latent !== store.get().latent) return;
    const labels = labelsOf(atlas.card.dataset);
    const numbers = latent.slice(0, 2).map((z) => z.toFixed(2).replace('-', '−')).join(', ');
    const more = latent.length > 2 ? ` and ${latent.length - 2} more` : '';
    live.textContent = `z ${numbers}${more}: ${describeBriefly(nearest(latent), typical, labels)}`;
  }

  const ends = [
    store.watch(['atlas'], ({ atlas }) => {
      if (atlas) nearest = createNearest(atlas.codes);
    }),
    store.watch(['latent'], ({ touched }) => {
      clearTimeout(timer);
      if (touched) timer = setTimeout(say, REST_MILLISECONDS);
    }),
    store.watch(['announcement'], ({ announcement }) => {
      live.textContent = announcement;
    }),
  ];
  return () => {
    clearTimeout(timer);
    ends.forEach((end) => end());
  };
}

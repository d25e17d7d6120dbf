/**
 * The result of encoding the visitor's image: input and reconstruction, and its ELBO.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').Posterior} Posterior
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 */
import { printed, printedElbo } from '../latent/nats.js';
import { ellipseOf, footOf } from '../latent/plane.js';
import { find } from '../lib/dom.js';
import { dataUrl } from '../lib/pixels.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const result = find(root, '#encoding', HTMLElement);
  const figures = find(result, '#elbo', HTMLElement);
  const removed = find(result, '#removed', HTMLElement);
  const none = find(result, '#no-kl', HTMLElement);
  const error = find(result, '#elbo-error', HTMLElement);
  const posterior = find(result, '#posterior', HTMLElement);
  const klFigure = find(result, '#kl-figure', HTMLElement);
  const bars = find(klFigure, '#kl-bars', HTMLElement);
  const caption = find(klFigure, 'figcaption', HTMLElement);
  const goThere = find(result, '#go-there', HTMLButtonElement);

  const go = () => {
    const mean = store.get().posterior?.mean;
    if (mean) store.set({ latent: mean, touched: true, playing: false });
  };
  goThere.addEventListener('click', go);

  /** @type {(encoded: Posterior, atlas: Atlas | null) => void} */
  function show(encoded, atlas) {
    showImages(encoded);
    showPlace(encoded, atlas);
    showFigures(encoded);
  }

  /** @type {(encoded: Posterior) => void} */
  function showImages({ input, reconstruction, denoised }) {
    for (const [part, address] of Object.entries({
      clean: denoised?.clean,
      input: dataUrl(input),
      output: dataUrl(reconstruction),
    })) {
      const image = find(result, `#encoded-${part}`, HTMLImageElement);
      image.closest('figure')?.toggleAttribute('hidden', !address);
      image.src = address ?? '';
    }
    const names = denoised ? { input: 'with noise', output: 'cleaned' } : { input: 'input', output: 'reconstruction' };
    for (const [part, name] of Object.entries(names)) find(result, `[data-part="${part}-name"]`, HTMLElement).textContent = name;
  }

  /** @type {(encoded: Posterior, atlas: Atlas | null) => void} */
  function showPlace({ mean, covariance }, atlas) {
    goThere.hidden = posterior.hidden = !mean || !atlas;
    if (!mean || !atlas) return;
    const { u, v } = footOf(atlas.plane, mean);
    const ellipse = covariance && ellipseOf(atlas.plane, covariance);
    posterior.textContent = ellipse
      ? `On the map: mean ${printed(u)}, ${printed(v)}; 1σ ${ellipse.major.toFixed(3)} by ${ellipse.minor.toFixed(3)}`
      : `On the map: ${printed(u)}, ${printed(v)}`;
  }

  /**
   * Show the ELBO; for a noisy image, whose own likelihood says little, the distances to the clean image.
   *
   * @type {(encoded: Posterior) => void}
   */
  function showFigures({ elbo, denoised, mean }) {
    figures.hidden = Boolean(denoised);
    removed.hidden = !denoised;
    for (const part of /** @type {const} */ (['before', 'after'])) {
      find(removed, `[data-part="${part}"]`, HTMLElement).textContent = denoised?.[part].toFixed(3) ?? '';
    }
    for (const [part, text] of Object.entries(printedElbo(elbo.reconstruction, elbo.kl))) {
      const cell = find(figures, `[data-part="${part}"]`, HTMLElement);
      cell.textContent = text;
      cell.closest('tr')?.toggleAttribute('hidden', !text);
    }
    error.hidden = elbo.kl === null || Boolean(denoised);
    none.hidden = elbo.kl !== null || Boolean(denoised) || !mean;
    const perDimension = elbo.kl_per_dimension ?? [];
    klFigure.hidden = perDimension.length < 3;
    const largest = Math.max(...perDimension);
    bars.replaceChildren(
      ...perDimension.map((kl) => {
        const bar = document.createElement('i');
        bar.style.transform = `scaleY(${kl / largest})`;
        return bar;
      }),
    );
    const used = perDimension.filter((kl) => kl >= 0.1).length;
    caption.textContent = `KL of each number: ${used} of ${perDimension.length} carry 0.1 nats or more`;
  }

  const unwatch = store.watch(['posterior'], ({ posterior: encoded, atlas }) => {
    result.hidden = !encoded;
    if (encoded) show(encoded, atlas);
  });
  return () => {
    goThere.removeEventListener('click', go);
    unwatch();
  };
}

/**
 * What came of the visitor's image: the steps it went through, input beside reconstruction, and its ELBO.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Encoded} Encoded
 * @typedef {import('../plane.js').Plane} Plane
 */
import { dataAddress } from '../digits.js';
import { copyOf, find } from '../elements.js';
import { balance, printed } from '../nats.js';
import { ellipseOf, footOf } from '../plane.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const result = find(root, '#encoding', HTMLElement);
  const input = find(result, '#encoded-input', HTMLImageElement);
  const output = find(result, '#encoded-output', HTMLImageElement);
  const steps = find(result, '#steps', HTMLElement);
  const figures = find(result, '#elbo', HTMLElement);
  const none = find(result, '#no-kl', HTMLElement);
  const posterior = find(result, '#posterior', HTMLElement);
  const share = find(result, '#kl-figure', HTMLElement);
  const bars = find(share, '#kl-bars', HTMLElement);
  const caption = find(share, 'figcaption', HTMLElement);
  const goThere = find(result, '#go-there', HTMLButtonElement);

  const go = () => {
    const { posterior: encoded } = store.get();
    if (encoded) store.set({ latent: encoded.mean, touched: true, playing: false });
  };
  goThere.addEventListener('click', go);

  /** @type {(encoded: Encoded, plane: Plane) => void} */
  function show({ input: before, reconstruction: after, steps: taken, elbo, mean, covariance }, plane) {
    input.src = dataAddress(before);
    output.src = dataAddress(after);
    steps.replaceChildren(
      ...taken.map(({ name, detail, image }) => {
        const step = copyOf(result, '#step', HTMLLIElement);
        find(step, 'img', HTMLImageElement).src = dataAddress(image);
        find(step, 'b', HTMLElement).textContent = name;
        find(step, 'span', HTMLElement).textContent = detail;
        return step;
      }),
    );
    const { u, v } = footOf(plane, mean);
    const ellipse = covariance && ellipseOf(plane, covariance);
    posterior.textContent = ellipse
      ? `On the map: mean ${printed(u)}, ${printed(v)}; 1σ ${ellipse.major.toFixed(3)} by ${ellipse.minor.toFixed(3)}`
      : `On the map: ${printed(u)}, ${printed(v)}`;
    const sum = balance(elbo.reconstruction, elbo.kl);
    for (const [part, text] of Object.entries(sum)) {
      const cell = find(figures, `[data-part="${part}"]`, HTMLElement);
      cell.textContent = text;
      cell.closest('tr')?.toggleAttribute('hidden', !text);
    }
    none.hidden = elbo.kl !== null;
    const perDimension = elbo.kl_per_dimension ?? [];
    share.hidden = perDimension.length < 3;
    const most = Math.max(...perDimension);
    bars.replaceChildren(
      ...perDimension.map((kl) => {
        const bar = document.createElement('i');
        bar.style.transform = `scaleY(${kl / most})`;
        return bar;
      }),
    );
    const used = perDimension.filter((kl) => kl >= 0.1).length;
    caption.textContent = `KL of each number: ${used} of ${perDimension.length} carry 0.1 nats or more`;
  }

  const unwatch = store.watch(['posterior'], ({ posterior: encoded, atlas }) => {
    result.hidden = !encoded;
    if (encoded && atlas) show(encoded, atlas.plane);
  });
  return () => {
    goThere.removeEventListener('click', go);
    unwatch();
  };
}

/**
 * What came of the visitor's image: the steps it went through, input beside reconstruction, and its ELBO.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Encoded} Encoded
 */
import { dataAddress } from '../digits.js';
import { copyOf, find } from '../elements.js';
import { balance } from '../nats.js';

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
  const share = find(result, '#kl-bars', HTMLElement);
  const goThere = find(result, '#go-there', HTMLButtonElement);

  const go = () => {
    const { posterior } = store.get();
    if (posterior) store.set({ latent: posterior.mean, touched: true, playing: false });
  };
  goThere.addEventListener('click', go);

  /** @param {Encoded} encoded */
  function show({ input: before, reconstruction: after, steps: taken, elbo }) {
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
    share.replaceChildren(
      ...perDimension.map((kl) => {
        const bar = document.createElement('i');
        bar.style.transform = `scaleY(${kl / most})`;
        return bar;
      }),
    );
    const used = perDimension.filter((kl) => kl >= 0.1).length;
    share.setAttribute('aria-label', `KL by latent number; ${used} of ${perDimension.length} carry 0.1 nats or more`);
  }

  const unwatch = store.watch(['posterior'], ({ posterior }) => {
    result.hidden = !posterior;
    if (posterior) show(posterior);
  });
  return () => {
    goThere.removeEventListener('click', go);
    unwatch();
  };
}

/**
 * Says in a sentence what came of encoding a test image. No DOM.
 *
 * @typedef {import('../store.js').Posterior} Posterior
 */
import { printedElbo } from '../latent/nats.js';

/** @type {(index: number, label: string | undefined, encoded: Pick<Posterior, 'elbo' | 'denoised'>) => string} */
export function describeEncoded(index, label, { elbo, denoised }) {
  const image = label ? `Test image ${index}, ${label}` : `Test image ${index}`;
  if (denoised) {
    const [before, after] = [denoised.before, denoised.after].map((distance) => distance.toFixed(3));
    return `${image}: ${before} from the clean image with noise, ${after} after its removal.`;
  }
  const { reconstruction, total } = printedElbo(elbo.reconstruction, elbo.kl);
  return total ? `${image}: ELBO ${total} nats.` : `${image}: reconstruction ${reconstruction} nats.`;
}

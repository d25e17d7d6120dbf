/**
 * Formats nats. No DOM.
 */
const PLACES = 2;

/** @type {(value: number) => string} */
export const printed = (value) => value.toFixed(PLACES).replace('-', '−');

/**
 * Format reconstruction, KL and ELBO so that the printed numbers add up. The ELBO is the difference of the printed
 * parts, within 0.01 nats of the true one.
 *
 * @param {number} reconstruction  expected log p(x|z), nats
 * @param {number | null | undefined} kl  nats; null for an autoencoder
 * @returns {{reconstruction: string, kl: string, total: string}}  empty strings where there is no KL
 */
export function printedElbo(reconstruction, kl) {
  if (kl === null || kl === undefined) return { reconstruction: printed(reconstruction), kl: '', total: '' };
  const cents = (/** @type {number} */ value) => Math.round(Number(value.toFixed(PLACES)) * 10 ** PLACES);
  return {
    reconstruction: printed(reconstruction),
    kl: printed(kl),
    total: printed((cents(reconstruction) - cents(kl)) / 10 ** PLACES),
  };
}

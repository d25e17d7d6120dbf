/**
 * Nats in print. No DOM.
 */
const PLACES = 2;

/** @type {(value: number) => string} */
export const printed = (value) => value.toFixed(PLACES).replace('-', '−');

/**
 * A ledger whose printed figures add up to the last digit: the total is the difference of the parts as printed,
 * at most a hundredth of a nat from the true one.
 *
 * @param {number} reconstruction  log p(x|z), expected, nats
 * @param {number | null | undefined} kl  nats; none for an autoencoder
 * @returns {{reconstruction: string, kl: string, total: string}}  empty where there is none
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

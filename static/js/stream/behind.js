/**
 * Tells whether the shown image has not been that of the point for a while. No DOM.
 *
 * @typedef {import('./pump.js').Environment} Environment
 */

/** Less than a second, so that within a second the visitor sees that the image is not that of the point. */
export const BEHIND_MILLISECONDS = 800;

/**
 * @param {object} options
 * @param {(isBehind: boolean) => void} options.onChange
 * @param {Pick<Environment, 'now' | 'later' | 'cancel'>} options.environment
 */
export function watchBehind({ onChange, environment: { now, later, cancel } }) {
  /** When the point left the shown image; null: it is there. @type {number | null} */
  let since = null;
  let isBehind = false;
  /** Of the timer that runs; 0: none does. */
  let timer = 0;

  function check() {
    timer = 0;
    const left = since === null ? Infinity : since + BEHIND_MILLISECONDS - now();
    if (left <= 0 !== isBehind) {
      isBehind = left <= 0;
      onChange(isBehind);
    }
    if (left > 0 && left < Infinity) timer = later(check, Math.ceil(left));
  }

  return {
    /** The point has left the shown image, now or before. */
    left(/** @type {number} */ time) {
      since ??= time;
      if (!isBehind && !timer) check();
    },

    /** Another image is shown, which the point left at a time; null: it is there. */
    shown(/** @type {number | null} */ leftAt) {
      since = leftAt;
      if (isBehind) check();
    },

    stop: () => cancel(timer),
  };
}

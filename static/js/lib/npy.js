/**
 * NumPy files, by the format of version 1.0. No DOM.
 */

/** A header ends where its length is a multiple of this. */
const ALIGNED = 64;

/**
 * Return whole numbers of 0..255 as a NumPy file.
 *
 * @param {Uint8Array} values  in C order
 * @param {readonly number[]} shape
 */
export function npyOf(values, shape) {
  const head = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const length = Math.ceil((10 + head.length + 1) / ALIGNED) * ALIGNED;
  const file = new Uint8Array(length + values.length);
  file.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, (length - 10) & 255, (length - 10) >> 8]);
  file.set(new TextEncoder().encode(`${head.padEnd(length - 11)}\n`), 10);
  file.set(values, length);
  return file;
}

/**
 * The words for what an image shows, by its data set: for lists, legends and sentences. No DOM.
 *
 * @typedef {object} Label
 * @property {string} name  short, for a key or a map
 * @property {string} one  with its article
 * @property {string} many
 * @property {string} bare  as it stands in a list: "Between 4 and 9", "Between coats and shirts"
 *
 * @typedef {object} Kind  of images
 * @property {string} title  of the data set
 * @property {readonly Label[]} labels
 * @property {string} hint  to those who may draw one
 * @property {readonly [number, number]} walk  labels of a telling walk's ends
 */

/** @type {Kind} */
const DIGITS = {
  title: 'MNIST',
  labels: Array.from({ length: 10 }, (_, d) => {
    return { name: `${d}`, one: d === 8 ? 'an 8' : `a ${d}`, many: `${d}s`, bare: `${d}` };
  }),
  hint: 'Draw a digit here',
  walk: [0, 6],
};

/** @type {(name: string, one: string, many: string) => Label} */
const garment = (name, one, many) => ({ name, one, many, bare: many });

/** @type {Kind} */
const CLOTHES = {
  title: 'Fashion-MNIST',
  labels: [
    garment('T-shirt', 'a T-shirt', 'T-shirts'),
    garment('Trousers', 'trousers', 'trousers'),
    garment('Pullover', 'a pullover', 'pullovers'),
    garment('Dress', 'a dress', 'dresses'),
    garment('Coat', 'a coat', 'coats'),
    garment('Sandal', 'a sandal', 'sandals'),
    garment('Shirt', 'a shirt', 'shirts'),
    garment('Sneaker', 'a sneaker', 'sneakers'),
    garment('Bag', 'a bag', 'bags'),
    garment('Boot', 'an ankle boot', 'ankle boots'),
  ],
  hint: 'Draw a garment here, filled in',
  walk: [1, 9],
};

/**
 * @param {string | undefined} dataset  id
 * @returns {Kind}
 */
export const kindOf = (dataset) => (dataset === 'fashion-mnist' ? CLOTHES : DIGITS);

/**
 * @param {string | undefined} dataset  id
 * @returns {readonly Label[]}  by label
 */
export const labelsOf = (dataset) => kindOf(dataset).labels;

/** Whether its labels are words, which need more room than digits. @type {(dataset?: string) => boolean} */
export const hasWords = (dataset) => kindOf(dataset) !== DIGITS;

/**
 * The words for the labels of each data set, for lists, legends and sentences. No DOM.
 *
 * MNIST and Fashion-MNIST have theirs here; the server names the labels of any other data set.
 *
 * @typedef {object} Label
 * @property {string} name  short, for a legend or the map
 * @property {string} one  with an article
 * @property {string} many
 * @property {string} bare  in a list: "Between 4 and 9", "Between coats and shirts"
 *
 * @typedef {object} DatasetWords
 * @property {string} title
 * @property {readonly Label[]} labels
 * @property {string} hint  on the empty drawing
 * @property {readonly [number, number] | null} pathLabels  labels of the default path's ends; null: found in the codes
 */

/** @type {DatasetWords} */
const DIGITS = {
  title: 'MNIST',
  labels: Array.from({ length: 10 }, (_, d) => {
    return { name: `${d}`, one: d === 8 ? 'an 8' : `a ${d}`, many: `${d}s`, bare: `${d}` };
  }),
  hint: 'Draw a digit here',
  pathLabels: [0, 6],
};

/** @type {(name: string, one: string, many: string) => Label} */
const garment = (name, one, many) => ({ name, one, many, bare: many });

/** @type {DatasetWords} */
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
  pathLabels: [1, 9],
};

/** @type {Map<string, DatasetWords>} */
const datasetWords = new Map([['mnist', DIGITS], ['fashion-mnist', CLOTHES]]);

/** Whether a data set is one of those that ship. @type {(dataset: string) => boolean} */
export const isShippedDataset = (dataset) => dataset === 'mnist' || dataset === 'fashion-mnist';

/** @type {(dataset: string) => boolean} */
export const isKnownDataset = (dataset) => datasetWords.has(dataset);

/**
 * Add words for the data sets that have none yet.
 *
 * @param {readonly {id: string, title: string, labels: readonly string[]}[]} datasets
 */
export function addDatasets(datasets) {
  for (const { id, title, labels } of datasets) {
    if (datasetWords.has(id)) continue;
    datasetWords.set(id, {
      title,
      labels: labels.map((name) => ({ name, one: `“${name}”`, many: `“${name}” images`, bare: `“${name}”` })),
      hint: 'Draw here',
      pathLabels: null,
    });
  }
}

/**
 * Return the words of a data set; those of MNIST if it is unknown.
 *
 * @param {string | undefined} dataset  id
 * @returns {DatasetWords}
 */
export const wordsFor = (dataset) => datasetWords.get(dataset ?? '') ?? DIGITS;

/**
 * @param {string | undefined} dataset  id
 * @returns {readonly Label[]}  by label
 */
export const labelsOf = (dataset) => wordsFor(dataset).labels;

/** Whether the labels are words, which need more room than digits. @type {(dataset?: string) => boolean} */
export const hasWords = (dataset) => wordsFor(dataset) !== DIGITS;

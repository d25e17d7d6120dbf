/**
 * What was measured of a model, by the server's table of measures. No DOM.
 *
 * @typedef {import('../api.js').Card} Card
 * @typedef {import('../api.js').Measure} Measure
 *
 * @typedef {object} Row  one measure of one or two models
 * @property {Measure} measure
 * @property {string} value  in print
 * @property {string} other  of the model beside it; empty: it has none, or there is none
 * @property {'value' | 'other' | null} better  which of the two, if one is
 * @property {string} floor  the same measure of real images, which no model can beat; empty: none
 *
 * @typedef {object} Block  measures of one protocol
 * @property {string} id
 * @property {string} title
 * @property {string} unit  of all its rows; empty: they differ, or it goes without saying
 * @property {Row[]} rows  at least one
 * @property {string} obstacle  why the two models cannot be compared by it; empty: they can
 * @property {string} protocol  how it was measured
 * @property {string} otherProtocol  empty if it is the same
 */

/** @type {Readonly<Record<string, string>>} */
const TITLES = {
  grey: 'The bound, grey images',
  binarised: 'The bound, black and white images',
  likelihood: 'The likelihood itself',
  latents: 'Numbers in use',
  continuity: 'Continuity: near points look alike',
  completeness: 'Completeness: any point will do',
  codes: 'Order among the codes',
  samples: 'Images out of nothing',
};

const SHARE = 'share';
/** Blocks that measure how probable images are: two models can be compared only if their pixels are of one kind. */
const OF_PIXELS = ['grey', 'binarised', 'likelihood'];

/** @type {Readonly<Record<'higher' | 'lower' | 'neither', string>>} */
const DIRECTIONS = {
  higher: 'Higher is better.',
  lower: 'Lower is better.',
  neither: 'Neither high nor low is better in itself.',
};

/** In words, which of two values is the better one. @type {(measure: Pick<Measure, 'better'>) => string} */
export const directionOf = ({ better }) => DIRECTIONS[better ?? 'neither'];

/** @typedef {{[key: string]: unknown}} Table */
/** @type {(value: unknown) => value is Table} */
const isTable = (value) => typeof value === 'object' && value !== null;

/**
 * The number at a path into a card's metrics.
 *
 * @param {Pick<Card, 'metrics'> | undefined} card
 * @param {string} key  such as "completeness.recognised"
 * @returns {number | null}  null: not measured, or not applicable
 */
export function valueOf(card, key) {
  /** @type {unknown} */
  let value = card?.metrics;
  for (const name of key.split('.')) value = isTable(value) ? value[name] : undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/**
 * A value in print; shares, which lie between 0 and 1, in percent.
 *
 * @param {Pick<Measure, 'digits' | 'unit'>} measure
 * @param {number | null} value
 * @returns {string}  empty if there is none
 */
export function printedMeasure({ digits, unit }, value) {
  if (value === null) return '';
  const isShare = unit === SHARE;
  const text = isShare ? (100 * value).toFixed(Math.max(0, digits - 2)) : value.toFixed(digits);
  const signed = Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
  return isShare ? `${signed} %` : signed;
}

/**
 * The measures of a model, and those of another beside them.
 *
 * @param {readonly Measure[]} measures
 * @param {Card} card
 * @param {Card} [referenceModel]
 * @returns {Block[]}
 */
export function blocksOf(measures, card, referenceModel) {
  /** @type {Map<string, Block>} */
  const blocks = new Map();
  for (const measure of measures) {
    const value = valueOf(card, measure.key);
    if (value === null) continue;
    const [id, ...path] = measure.key.split('.');
    const block = blocks.get(id) ?? emptyBlock(id, card, referenceModel);
    blocks.set(id, block);
    const other = valueOf(referenceModel, measure.key);
    block.rows.push({
      measure,
      value: printedMeasure(measure, value),
      other: printedMeasure(measure, other),
      better: block.obstacle ? null : betterOf(measure, value, other),
      floor: printedMeasure(measure, valueOf(card, [id, 'floor', ...path].join('.'))),
    });
  }
  return [...blocks.values()].map((block) => ({ ...block, unit: unitOf(block.rows) }));
}

/** @type {(rows: readonly Row[]) => string} */
function unitOf(rows) {
  const units = new Set(rows.map(({ measure }) => measure.unit));
  return units.size === 1 && !units.has(SHARE) ? rows[0].measure.unit : '';
}

/** What a row has to say of its unit itself. @type {(measure: Measure, block: Block) => string} */
export const ownUnit = ({ unit }, block) => (unit === SHARE || unit === block.unit ? '' : unit);

/** @type {(id: string, card: Card, referenceModel?: Card) => Block} */
function emptyBlock(id, card, referenceModel) {
  const protocol = protocolOf(card, id);
  const other = referenceModel ? protocolOf(referenceModel, id) : '';
  return {
    id,
    title: TITLES[id] ?? id,
    unit: '',
    rows: [],
    obstacle: referenceModel ? obstacleOf(id, card, referenceModel) : '',
    protocol,
    otherProtocol: other === protocol ? '' : other,
  };
}

/** @type {(id: string, card: Card, referenceModel: Card) => string} */
function obstacleOf(id, card, referenceModel) {
  if (card.dataset !== referenceModel.dataset) return 'The two were measured on different images: do not compare.';
  if (card.likelihood !== referenceModel.likelihood && OF_PIXELS.includes(id)) {
    return 'The two take a pixel for different things, ink or any number: do not compare.';
  }
  return '';
}

/** @type {(card: Card, id: string) => string} */
function protocolOf({ metrics }, id) {
  const block = /** @type {Table} */ (metrics)[id];
  return isTable(block) && typeof block.protocol === 'string' ? block.protocol : '';
}

/**
 * Which of two is better; none if they print the same.
 *
 * @type {(measure: Measure, value: number, other: number | null) => 'value' | 'other' | null}
 */
function betterOf(measure, value, other) {
  if (other === null || !measure.better) return null;
  if (printedMeasure(measure, value) === printedMeasure(measure, other)) return null;
  return value > other === (measure.better === 'higher') ? 'value' : 'other';
}

/**
 * The model to show beside another until the visitor chooses: an autoencoder beside the default VAE, the default
 * beside all others, both of the same data set.
 *
 * @param {readonly Card[]} models
 * @param {Card} card
 * @param {string} fallback  id of the server's default model
 * @returns {Card | undefined}
 */
export function referenceFor(models, card, fallback) {
  const others = models.filter(({ id, dataset }) => id !== card.id && dataset === card.dataset);
  const alike = others.filter(({ latent_dim: dim }) => dim === card.latent_dim);
  return (
    others.find(({ id }) => id === fallback) ??
    alike.find(({ family }) => (card.family === 'ae' ? family === 'vae' : family === 'ae')) ??
    alike[0]
  );
}

/**
 * The measures of a model, in the order of the server's table. No DOM.
 *
 * @typedef {import('../api.js').Card} Card
 * @typedef {import('../api.js').Measure} Measure
 *
 * @typedef {object} Row  one measure of a model and, where there is one, of the reference model
 * @property {Measure} measure
 * @property {string} value  formatted
 * @property {string} other  of the reference model; empty: not measured, or there is no reference
 * @property {'value' | 'other' | null} better  which of the two is better; null: neither
 * @property {string} floor  the best that the measure can come to, in words; empty: there is none
 *
 * @typedef {object} Block  measures with the same protocol
 * @property {string} id
 * @property {string} title
 * @property {string} unit  of all rows; empty: they differ, or they are shares
 * @property {Row[]} rows  at least one
 * @property {string} obstacle  why the two models cannot be compared; empty: they can
 * @property {string} protocol  how the measures were taken
 * @property {string} otherProtocol  of the reference model; empty: it is the same
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
/** Blocks of log-likelihoods: comparable only between models with the same likelihood of a pixel. */
const OF_PIXELS = ['grey', 'binarised', 'likelihood'];

/** @type {Readonly<Record<'higher' | 'lower' | 'neither', string>>} */
const DIRECTIONS = {
  higher: 'Higher is better.',
  lower: 'Lower is better.',
  neither: 'Neither high nor low is better in itself.',
};

/** Say which of two values is better. @type {(measure: Pick<Measure, 'better'>) => string} */
export const directionOf = ({ better }) => DIRECTIONS[better ?? 'neither'];

/** Blocks in which a decoder that ignores its code scores well for nothing. */
const OF_THE_DECODER = ['continuity', 'completeness'];
/** A VAE with a smaller mean KL, in nats, has collapsed. */
const MIN_KL = 0.1;

/** Return whether a VAE's posterior has collapsed to the prior. @param {Pick<Card, 'family' | 'metrics'>} card */
export function hasCollapsed(card) {
  const kl = card.family === 'vae' ? valueOf(card, 'grey.kl') : null;
  return kl !== null && kl < MIN_KL;
}

/** @typedef {{[key: string]: unknown}} Table */
/** @type {(value: unknown) => value is Table} */
const isTable = (value) => typeof value === 'object' && value !== null;

/**
 * Return the number at a path into a card's metrics.
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
 * Return the places of a model that its evaluation found, such as the seam between two labels.
 *
 * @param {Pick<Card, 'metrics'>} card
 * @returns {{seam: {latent: number[], images: number[]}} | null}
 */
export function placesOf({ metrics }) {
  const places = /** @type {Table} */ (metrics).places;
  const seam = isTable(places) ? places.seam : undefined;
  if (!isTable(seam) || !Array.isArray(seam.latent) || !Array.isArray(seam.images)) return null;
  return { seam: { latent: seam.latent, images: seam.images } };
}

/**
 * Format a value; shares, from 0 to 1, as percentages.
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
 * Return the measures of a model in blocks, with those of a reference model.
 *
 * @param {readonly Measure[]} measures
 * @param {Card} card
 * @param {Card} [reference]
 * @returns {Block[]}
 */
export function blocksOf(measures, card, reference) {
  /** @type {Map<string, Block>} */
  const blocks = new Map();
  const isContest = (/** @type {string} */ id) =>
    !OF_THE_DECODER.includes(id) || ![card, reference].some((one) => one && hasCollapsed(one));
  for (const measure of measures) {
    const value = valueOf(card, measure.key);
    if (value === null) continue;
    const [id, ...path] = measure.key.split('.');
    const block = blocks.get(id) ?? emptyBlock(id, card, reference);
    blocks.set(id, block);
    const other = valueOf(reference, measure.key);
    block.rows.push({
      measure,
      value: printedMeasure(measure, value),
      other: printedMeasure(measure, other),
      better: block.obstacle || !isContest(id) ? null : betterOf(measure, value, other),
      floor: floorOf(id, printedMeasure(measure, valueOf(card, [id, 'floor', ...path].join('.')))),
    });
  }
  return [...blocks.values()].map((block) => ({ ...block, unit: unitOf(block.rows) }));
}

/** @type {(id: string, value: string) => string} */
function floorOf(id, value) {
  if (!value) return '';
  return id === 'samples' ? `Real images score ${value}.` : `As many codes that fill N(0, I) exactly score ${value}.`;
}

/** @type {(rows: readonly Row[]) => string} */
function unitOf(rows) {
  const units = new Set(rows.map(({ measure }) => measure.unit));
  return units.size === 1 && !units.has(SHARE) ? rows[0].measure.unit : '';
}

/** The unit that a row shows itself, because its block does not. @type {(measure: Measure, block: Block) => string} */
export const ownUnit = ({ unit }, block) => (unit === SHARE || unit === block.unit ? '' : unit);

/** @type {(id: string, card: Card, reference?: Card) => Block} */
function emptyBlock(id, card, reference) {
  const protocol = protocolOf(card, id);
  const other = reference ? protocolOf(reference, id) : '';
  return {
    id,
    title: TITLES[id] ?? id,
    unit: '',
    rows: [],
    obstacle: reference ? obstacleOf(id, card, reference) : '',
    protocol,
    otherProtocol: other === protocol ? '' : other,
  };
}

/** @type {(id: string, card: Card, reference: Card) => string} */
function obstacleOf(id, card, reference) {
  if (card.dataset !== reference.dataset) return 'The two were measured on different images: do not compare.';
  if (card.likelihood !== reference.likelihood && OF_PIXELS.includes(id)) {
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
 * Return which of two values is better; null if they are formatted the same.
 *
 * @type {(measure: Measure, value: number, other: number | null) => 'value' | 'other' | null}
 */
function betterOf(measure, value, other) {
  if (other === null || !measure.better) return null;
  if (printedMeasure(measure, value) === printedMeasure(measure, other)) return null;
  return value > other === (measure.better === 'higher') ? 'value' : 'other';
}

/**
 * Return the model whose measures are shown for reference until the visitor chooses: the default model, or a plain
 * autoencoder for the default VAE. Both have the same data set.
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

/**
 * The learning curves of a model: one for each stage of its training, with the quantity that the stage is about. No DOM.
 *
 * @typedef {import('../api-types.js').components['schemas']['EpochJson']} Epoch
 *
 * @typedef {readonly {epoch: number, value: number}[]} Points
 *
 * @typedef {object} Quantity
 * @property {string} name
 * @property {string} unit
 * @property {(epoch: Epoch) => number | null | undefined} of  on held-out images
 * @property {string} [training]  what the negative loss on training images is; without it, it is not drawn
 *
 * @typedef {object} Stage
 * @property {string} id  of the server
 * @property {string} title
 * @property {string} name  of the quantity
 * @property {string} unit
 * @property {Points} points
 * @property {string} trainingName  empty: there are no points of it
 * @property {Points} training
 * @property {number} from  the first epoch, counted through all stages
 * @property {number} to  the last
 */

const NATS = 'nats per image';
/** @type {Readonly<Record<string, string>>} */
const TITLES = {
  layout: 'Layout', pretrain: 'Pretraining', fit: 'Fit', importance: 'Importance', distil: 'Distillation', refit: 'Refit',
};
/** @type {Quantity} */
const ELBO = { name: 'ELBO', unit: NATS, of: ({ elbo }) => elbo, training: 'minus the loss: reconstruction − β KL' };
/** @type {Quantity} */
const RECONSTRUCTION = { name: 'reconstruction', unit: NATS, of: ({ reconstruction }) => reconstruction, training: 'minus the loss' };
/** @type {Quantity} */
const LOSS = { name: 'loss of the training images', unit: NATS, of: ({ train_loss: loss }) => loss };
/** The quantity of stages that have one of their own. @type {Readonly<Record<string, Quantity>>} */
const QUANTITIES = {
  layout: { name: 'distance from the places of t-SNE', unit: 'latent units', of: ({ more }) => more.distance },
  importance: { name: 'log p(x) from 16 samples', unit: NATS, of: ({ more }) => more.log_likelihood_16 },
  distil: { name: 'KL from the images of the teacher', unit: NATS, of: ({ more }) => more.kl_to_teacher },
};

/**
 * Split epochs into stages.
 *
 * @param {readonly Epoch[]} epochs
 * @returns {Stage[]}
 */
export function stagesOf(epochs) {
  /** @type {Epoch[][]} */
  const runs = [];
  for (const epoch of epochs) {
    const run = runs.at(-1);
    if (run && run[0].stage === epoch.stage) run.push(epoch);
    else runs.push([epoch]);
  }
  return runs.map(stageOf);
}

/** @type {(run: readonly Epoch[]) => Stage} */
function stageOf(run) {
  const { stage: id } = run[0];
  const wanted = [QUANTITIES[id], ELBO, RECONSTRUCTION].find((one) => one && run.some((epoch) => isNumber(one.of(epoch))));
  const quantity = wanted ?? LOSS;
  /** @type {(of: Quantity['of']) => Points} */
  const pointsOf = (of) => run.flatMap((epoch) => {
    const value = of(epoch);
    return isNumber(value) ? [{ epoch: epoch.epoch, value }] : [];
  });
  return {
    id,
    title: TITLES[id] ?? id,
    name: quantity.name,
    unit: quantity.unit,
    points: pointsOf(quantity.of),
    trainingName: quantity.training ?? '',
    training: quantity.training ? pointsOf(({ train_loss: loss }) => (loss === null ? null : -loss)) : [],
    from: run[0].epoch,
    to: run[run.length - 1].epoch,
  };
}

/** @type {(value: unknown) => value is number} */
const isNumber = (value) => typeof value === 'number';

/**
 * Return the stage to which an epoch belongs; the first one before its first epoch.
 *
 * @param {readonly Stage[]} stages  at least one
 * @param {number} epoch
 */
export const stageAt = (stages, epoch) => stages.find(({ to }) => epoch <= to + 1e-6) ?? stages[stages.length - 1];

/**
 * Return the last value measured in a stage at or before an epoch.
 *
 * @param {Pick<Stage, 'points'>} stage
 * @param {number} epoch
 * @returns {number | null}
 */
export const valueAt = ({ points }, epoch) => points.findLast((point) => point.epoch <= epoch + 1e-6)?.value ?? null;

/**
 * Return the scale of a stage: its epochs, and its values without the outliers of the first epochs.
 *
 * @param {Pick<Stage, 'points' | 'training' | 'from' | 'to'>} stage
 * @param {number | null} last  a value that must have its place too
 * @returns {{from: number, to: number, low: number, high: number}}
 */
export function scaleOf({ points, training, from, to }, last) {
  const settled = [points, training].flatMap((line) => line.slice(Math.floor(line.length / 8)).map(({ value }) => value));
  const values = last === null ? settled : [...settled, last];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { from, to, low, high: Math.max(high, low + 1e-3) };
}

/** Where an epoch lies between a stage's first and last, 0..1. @type {(scale: {from: number, to: number}, epoch: number) => number} */
export const shareOf = ({ from, to }, epoch) => (to > from ? Math.min(1, Math.max(0, (epoch - from) / (to - from))) : 1);

/** How high a value lies on a scale, 0..1. @type {(scale: {low: number, high: number}, value: number) => number} */
export const heightOf = ({ low, high }, value) => Math.min(1, Math.max(0, (value - low) / (high - low)));

/**
 * Return points as the `d` of an SVG path. Values off the scale are clamped to its edges.
 *
 * @param {Points} points
 * @param {ReturnType<typeof scaleOf>} scale
 * @param {number} width
 * @param {number} height
 */
export function lineOf(points, scale, width, height) {
  return points.map(({ epoch, value }, i) => {
    const x = width * shareOf(scale, epoch);
    const y = height * (1 - heightOf(scale, value));
    return `${i ? 'L' : 'M'}${+x.toFixed(1)},${+y.toFixed(1)}`;
  }).join('');
}

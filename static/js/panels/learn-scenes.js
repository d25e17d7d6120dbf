/**
 * The scenes of the lessons: the whole state that a lesson shows, so that nothing of the one before is left. No DOM.
 *
 * @typedef {import('../store.js').State} State
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../latent/box.js').Point} Point
 * @typedef {import('../latent/plane.js').Latent} Latent
 *
 * @typedef {object} Lesson  as its button states it
 * @property {string} id
 * @property {string} model
 * @property {string} show  a key of `PLACES`, followed by test images or labels: "walk-3-11", "code-7"
 * @property {string} twin  id of the second map's model; empty: there is none
 * @property {number} draws  seed of the draws on both maps; 0: none
 * @property {import('../store.js').DrawSource} source  what those are drawn from
 */
import { borderOf, codeOf, priorCentre } from '../latent/atlas.js';
import { largestHole } from '../latent/holes.js';
import { placesOf } from '../latent/measures.js';
import { pathIn, typicalImage } from '../latent/path.js';
import { latentAt } from '../latent/plane.js';
import { roundTrip } from '../map/idle-tour.js';
import { LAYERS } from '../map-layers.js';
import { INITIAL } from '../store.js';

/** Noise in which an eye still sees the strokes. */
const NOISE = 0.5;
/** A clearly written test image. */
const IMAGE = 0;
const BITS_4_AND_9 = (1 << 4) | (1 << 9);

/** What each lesson sets, whatever it shows. */
const BLANK = {
  plane: INITIAL.plane,
  framing: INITIAL.framing,
  layers: LAYERS,
  digits: INITIAL.digits,
  path: INITIAL.path,
  testImage: INITIAL.testImage,
  noise: INITIAL.noise,
  posterior: INITIAL.posterior,
  referenceModel: INITIAL.referenceModel,
  link: INITIAL.link,
  playing: false,
  trainingTime: null,
  touched: true,
  movedAt: 0,
};

/** @type {Readonly<Record<string, Partial<State>>>} */
const IN_DRAW = {
  noise: { testImage: IMAGE, noise: NOISE },
  image: { testImage: IMAGE },
};

/** The panels of the lessons that are not in the panel of lessons. @type {Readonly<Record<string, State['panel']>>} */
const PANEL_OF = { noise: 'draw', image: 'draw', training: 'training' };

/** @type {(atlas: Atlas, point: Point) => Partial<State>} */
const at = (atlas, point) => ({ latent: latentAt(atlas.plane, point) });

/** @type {(latents: Latent[]) => Latent} */
const middleOf = (latents) =>
  latents[0].map((_, i) => latents.reduce((sum, latent) => sum + latent[i] / latents.length, 0));

/**
 * What a lesson shows of a model with a plane, given the numbers at the end of `show`.
 *
 * @type {Readonly<Record<string, (atlas: Atlas, numbers: readonly number[]) => Partial<State>>>}
 */
const PLACES = {
  walk: (atlas, [start, end]) => ({
    path: pathIn(atlas, end === undefined ? null : { start: { image: start }, end: { image: end }, kind: 'linear' }),
    playing: true,
  }),
  seam: (atlas) => {
    const seam = placesOf(atlas.card)?.seam;
    return { ...(seam ? { latent: seam.latent } : at(atlas, borderOf(atlas, 4, 9))), digits: BITS_4_AND_9 };
  },
  meeting: (atlas, [a, b]) => ({ ...at(atlas, borderOf(atlas, a, b)), digits: (1 << a) | (1 << b) }),
  middle: (atlas) => at(atlas, priorCentre(atlas.plane)),
  hole: (atlas) => at(atlas, largestHole(atlas)),
  between: (atlas, images) => ({ latent: middleOf(images.map((image) => codeOf(atlas, image))) }),
  code: (atlas, [label]) => ({ latent: codeOf(atlas, typicalImage(atlas, label).image) }),
  test: (atlas, [index]) => ({ latent: codeOf(atlas, index) }),
  home: () => ({}),
};

/**
 * Return the part of a lesson's scene that can be set before its model has loaded.
 *
 * @param {Lesson} lesson
 * @returns {Partial<State>}
 */
export function stageOf({ id, model, show, twin, draws, source }) {
  const panel = PANEL_OF[nameOf(show)] ?? 'learn';
  return { ...BLANK, lesson: id, model, panel, secondModel: twin, sampleSeed: draws, drawSource: source };
}

/**
 * Return the rest of the scene. A lesson that shows no place of its own shows the one where a new page begins.
 *
 * @param {Lesson} lesson
 * @param {Atlas | null} atlas  null: the model has no plane
 * @returns {Partial<State>}
 */
export function placeOf({ show }, atlas) {
  const inDraw = IN_DRAW[nameOf(show)];
  if (!atlas) return { latent: null, ...inDraw };
  const [first] = roundTrip(atlas.landmarks.map(({ point }) => point));
  const numbers = show.split('-').slice(1).map(Number);
  return { ...at(atlas, first ?? priorCentre(atlas.plane)), ...inDraw, ...PLACES[nameOf(show)]?.(atlas, numbers) };
}

/** @type {(show: string) => string} */
const nameOf = (show) => show.split('-')[0];

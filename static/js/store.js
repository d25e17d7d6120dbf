/**
 * The state of the page: one typed object, changed by `set` alone. Panels know the store and never each other.
 *
 * @typedef {import('./latent/plane.js').Latent} Latent
 * @typedef {import('./latent/plane.js').Plane} Plane
 * @typedef {import('./latent/atlas.js').Atlas} Atlas
 * @typedef {import('./map/camera.js').Camera} Camera
 * @typedef {import('./map/camera.js').Box} Box
 * @typedef {import('./map/camera.js').Framing} Framing
 * @typedef {import('./map/camera.js').Limits} Limits
 * @typedef {import('./api.js').Card} Card
 * @typedef {import('./api.js').Encoded} Encoded
 * @typedef {import('./api.js').Measure} Measure
 * @typedef {import('./latent/model-groups.js').Group} Group
 * @typedef {import('./map/layers.js').Layers} Layers
 * @typedef {import('./map/layers.js').FieldId} FieldId
 * @typedef {import('./map/field-colours.js').Reading} Reading
 * @typedef {import('./latent/training-moments.js').Past} Past
 * @typedef {import('./stream/stream.js').Frame} Frame
 * @typedef {import('./stream/stream.js').Connection} Connection
 *
 * @typedef {object} View  how the map lies on the screen
 * @property {Camera} camera
 * @property {number} width  of the map, CSS pixels
 * @property {number} height
 * @property {Box} reach  the part of the plane inside the map's frame: where the ring may go
 * @property {Camera} whole  the one that shows all there is to see
 * @property {Limits} limits  of the camera
 *
 * @typedef {'point' | 'draw' | 'path' | 'training' | 'measures' | 'learn'} Panel
 * @typedef {'linear' | 'spherical' | 'geodesic'} PathKind
 * @typedef {'image' | 'coordinates'} Link  what two maps beside each other have in common
 *
 * @typedef {{image: number} | {latent: Latent}} End  a test image's code, or any latent
 *
 * @typedef {object} Walk  from where to where, and how
 * @property {End} start
 * @property {End} end
 * @property {PathKind} kind
 *
 * @typedef {object} Denoised  what came of noise that was put on an image; root mean squares, white is 1
 * @property {string} clean  address of the image without noise
 * @property {number} before  from the clean image to the noisy one
 * @property {number} after  from the clean image to the reconstruction
 *
 * @typedef {Encoded & {denoised: Denoised | null}} Posterior
 *
 * @typedef {object} State
 * @property {readonly Card[]} models
 * @property {readonly Group[]} groups  the same models under their headings
 * @property {readonly Measure[]} measures  what may be measured of a model
 * @property {string} defaultModel  id of the one that the server shows first
 * @property {string} device  on which the server computes
 * @property {string} model  id of the chosen one
 * @property {Card | null} shown  the model that the page shows: the chosen one, once it has arrived
 * @property {string} pending  why the chosen one is not shown yet; empty: it is
 * @property {readonly Plane[]} planes  of the model shown, that are worth a menu
 * @property {string} plane  name of the chosen one; empty: the first
 * @property {Atlas | null} atlas  of the model shown; null: none has arrived, or it has no plane
 * @property {Framing | null} framing  what the visitor looks at; null: the whole
 * @property {boolean} isMapDrawn  the first map has been painted, with all its images
 * @property {View | null} view  null until the map has been laid out
 * @property {Layers} layers  what lies on the map
 * @property {Readonly<Partial<Record<FieldId, Reading>>>} readings  of the fields that have arrived
 * @property {Pick<State, 'latent' | 'framing' | 'plane'> | null} addressed  where to be in the model that is on its way
 * @property {readonly string[]} strange  parts of the page's address that are not understood
 * @property {Latent | null} latent  the point under the ring
 * @property {number} movedAt  when the gesture happened that moved it, in performance.now() milliseconds
 * @property {boolean} touched  whether the visitor has moved it
 * @property {Panel} panel
 * @property {number} digits  bit n set: label n is coloured; none set: all are
 * @property {number | null} testImage  index of the test image that is encoded; null: none is
 * @property {number} noise  standard deviation of what is put on an image before it is encoded, 0..1
 * @property {Posterior | null} posterior  the visitor's image, encoded by the model shown
 * @property {string} beside  id of the model whose measures stand beside; empty: the page chooses
 * @property {string} twin  id of the model whose map lies beside; empty: none does
 * @property {Link} link  how the point of the one map follows that of the other
 * @property {number} draws  seed of the latents that were thrown on both; 0: none were
 * @property {Walk | null} walk  null: the default one, from 0 to 6
 * @property {readonly Latent[] | null} route  the walk's latents, as the server answered them
 * @property {readonly (readonly Latent[])[]} byways  the same walk's other kinds
 * @property {boolean} playing  whether the ring walks by itself
 * @property {Past | null} past  the time of the training that the map shows; null: it is trained
 * @property {((density: number, isFramed: boolean) => HTMLCanvasElement | null) | null} print  paints the map anew, for a file
 * @property {Frame | null} frame  the newest decoded image
 * @property {Connection} connection
 */

import { LAYERS } from './map/layers.js';

/** @type {readonly Panel[]} */
export const PANELS = ['point', 'draw', 'path', 'training', 'measures', 'learn'];

/** @type {Readonly<State>} */
export const INITIAL = {
  models: [],
  groups: [],
  measures: [],
  defaultModel: '',
  device: '',
  model: '',
  shown: null,
  pending: '',
  planes: [],
  plane: '',
  atlas: null,
  framing: null,
  isMapDrawn: false,
  view: null,
  layers: LAYERS,
  readings: {},
  addressed: null,
  strange: [],
  latent: null,
  movedAt: 0,
  touched: false,
  panel: 'point',
  digits: 0,
  testImage: null,
  noise: 0,
  posterior: null,
  beside: '',
  twin: '',
  link: 'image',
  draws: 0,
  walk: null,
  route: null,
  byways: [],
  playing: false,
  past: null,
  print: null,
  frame: null,
  connection: 'connecting',
};

/**
 * @typedef {object} Store
 * @property {() => Readonly<State>} get  the one object that `set` changes, so that a drag need not copy all of it
 * @property {(patch: Partial<State>) => void} set
 * @property {(keys: readonly (keyof State)[], listener: (state: Readonly<State>) => void) => () => void} watch
 *   calls back at once and whenever one of the keys has changed; returns what ends it
 */

/**
 * @param {Readonly<State>} [initial]
 * @returns {Store}
 */
export function createStore(initial = INITIAL) {
  const state = { ...initial };
  /** @type {Set<{keys: readonly (keyof State)[], listener: (state: Readonly<State>) => void}>} */
  const watchers = new Set();
  return {
    get: () => state,
    set(patch) {
      const given = /** @type {(keyof State)[]} */ (Object.keys(patch));
      const changed = given.filter((key) => !Object.is(state[key], patch[key]));
      Object.assign(state, patch);
      for (const { keys, listener } of watchers) if (keys.some((key) => changed.includes(key))) listener(state);
    },
    watch(keys, listener) {
      const watcher = { keys, listener };
      watchers.add(watcher);
      listener(state);
      return () => watchers.delete(watcher);
    },
  };
}

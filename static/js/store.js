/**
 * The state of the page: one typed object that only `set` changes. Panels share the store and never import each
 * other.
 *
 * @typedef {import('./latent/plane.js').Latent} Latent
 * @typedef {import('./latent/plane.js').Plane} Plane
 * @typedef {import('./latent/atlas.js').Atlas} Atlas
 * @typedef {import('./latent/direction.js').Along} Along
 * @typedef {import('./map/camera.js').Camera} Camera
 * @typedef {import('./latent/box.js').Box} Box
 * @typedef {import('./map/camera.js').Framing} Framing
 * @typedef {import('./map/camera.js').Limits} Limits
 * @typedef {import('./map/camera.js').Rect} Rect
 * @typedef {import('./api.js').Card} Card
 * @typedef {import('./api.js').Encoded} Encoded
 * @typedef {import('./api.js').Measure} Measure
 * @typedef {import('./latent/model-groups.js').Group} Group
 * @typedef {import('./map-layers.js').Layers} Layers
 * @typedef {import('./map-layers.js').FieldId} FieldId
 * @typedef {import('./map-layers.js').LayerId} LayerId
 * @typedef {import('./api.js').Reading} Reading
 * @typedef {import('./latent/training-moments.js').TrainingTime} TrainingTime
 * @typedef {import('./stream/pump.js').Frame} Frame
 * @typedef {import('./stream/stream.js').Connection} Connection
 *
 * @typedef {object} View  how the map is laid out on the screen
 * @property {Camera} camera
 * @property {number} width  of the map, CSS pixels
 * @property {number} height
 * @property {Box} reach  the part of the plane inside the map's frame, to which the ring is limited
 * @property {Camera} whole  the camera that shows the whole map
 * @property {Limits} limits  of the camera
 * @property {readonly Rect[]} covers  what covers the map, CSS pixels of the map
 *
 * @typedef {'point' | 'draw' | 'path' | 'vary' | 'training' | 'measures' | 'learn'} Panel
 * @typedef {'linear' | 'spherical' | 'geodesic'} PathKind
 * @typedef {'image' | 'coordinates'} Link  what the points of two compared maps have in common
 * @typedef {'own' | 'standard' | 'fitted'} DrawSource  of draws on both maps: what each model samples from, N(0, I), or
 *   the Gaussian fitted to its codes
 *
 * @typedef {{image: number} | {latent: Latent}} End  a test image's code, or any latent
 *
 * @typedef {object} Path  between two latents
 * @property {End} start
 * @property {End} end
 * @property {PathKind} kind
 *
 * @typedef {object} Denoised  how much noise a model removed; distances are root mean squares, white is 1
 * @property {string} clean  URL of the image without noise
 * @property {number} before  distance of the noisy image to the clean one
 * @property {number} after  distance of the reconstruction to the clean image
 *
 * @typedef {Encoded & {denoised: Denoised | null}} Posterior
 *
 * @typedef {object} State
 * @property {readonly Card[]} models
 * @property {readonly Group[]} groups  the same models, grouped under headings
 * @property {readonly Measure[]} measures  the server's table of measures
 * @property {string} defaultModel  id of the model that the server shows first
 * @property {string} device  that the server computes on
 * @property {string} model  id of the chosen model
 * @property {Card | null} shown  the model that the page shows: the chosen one, once it has loaded
 * @property {string} pending  what the page says while the chosen model loads; empty: it is shown
 * @property {readonly Plane[]} planes  of the shown model, as the menu offers them
 * @property {string} plane  name of the chosen plane; empty: the first
 * @property {Atlas | null} atlas  of the shown model; null: none has loaded, or it has no plane
 * @property {Framing | null} framing  what the visitor looks at; null: the whole map
 * @property {boolean} isMapDrawn  whether the first map has been painted with all its tiles
 * @property {View | null} view  null until the map has been laid out
 * @property {Layers} layers  the layers of the map
 * @property {Readonly<Partial<Record<FieldId, Reading>>>} readings  of the fields that have loaded
 * @property {readonly LayerId[]} computing  the layers that the server is computing
 * @property {Pick<State, 'latent' | 'framing' | 'plane'> | null} pendingView  what to show of the model that is loading
 * @property {readonly string[]} unknownParts  parts of the page's URL that are not understood
 * @property {Latent | null} latent  the point under the ring
 * @property {number} movedAt  when the gesture that moved it happened, in `performance.now()` milliseconds
 * @property {boolean} touched  whether the visitor has moved it
 * @property {Panel} panel
 * @property {string} lesson  id of the lesson that the page shows; empty: none
 * @property {number} digits  bit n set: label n is coloured; 0: all are
 * @property {number | null} testImage  index of the encoded test image; null: none
 * @property {number} noise  standard deviation of the noise added to an image before it is encoded, 0..1
 * @property {Posterior | null} posterior  the visitor's image, encoded by the shown model
 * @property {string} referenceModel  id of the model whose measures are shown for reference; empty: the page chooses
 * @property {string} secondModel  id of the second map's model; empty: there is no second map
 * @property {Link} link  how the point of one map follows the other's
 * @property {number} sampleSeed  seed of the draws on both maps; 0: none
 * @property {DrawSource} drawSource  what those are drawn from
 * @property {Path | null} path  null: the default path, from a 0 to a 6
 * @property {readonly Latent[] | null} pathLatents  the path's latents, from the server
 * @property {readonly (readonly Latent[])[]} otherPaths  the latents of the other kinds of path between the same ends
 * @property {Along | null} along  how far the point has moved along the direction of an attribute; null: none is chosen
 * @property {string} projection  id of the projection that the page shows; empty: none
 * @property {boolean} presenting  whether the page shows map, ring and image alone, as for a projector
 * @property {boolean} playing  whether the ring moves along the path
 * @property {TrainingTime | null} trainingTime  the time of the training that the map shows; null: the trained model
 * @property {((density: number, isFramed: boolean) => HTMLCanvasElement | null) | null} renderMap
 *   paints the map on a new canvas, for a file; returns null where there is no map
 * @property {(Frame & {image: Card['image']}) | null} frame  the newest decoded image, and its shape
 * @property {boolean} isBehind  whether `frame` has not been the image of the point for a while
 * @property {Connection | 'offline'} connection  `offline`: the browser says that it has no network
 * @property {string} announcement  what screen readers are to hear next
 */

import { LAYERS } from './map-layers.js';

/** @type {readonly Panel[]} */
export const PANELS = ['point', 'draw', 'path', 'vary', 'training', 'measures', 'learn'];

/** @type {readonly Link[]} */
export const LINKS = ['image', 'coordinates'];

/** @type {readonly DrawSource[]} */
export const DRAW_SOURCES = ['own', 'standard', 'fitted'];

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
  computing: [],
  pendingView: null,
  unknownParts: [],
  latent: null,
  movedAt: 0,
  touched: false,
  panel: 'point',
  lesson: '',
  digits: 0,
  testImage: null,
  noise: 0,
  posterior: null,
  referenceModel: '',
  secondModel: '',
  link: 'image',
  sampleSeed: 0,
  drawSource: 'own',
  path: null,
  pathLatents: null,
  otherPaths: [],
  along: null,
  projection: '',
  presenting: false,
  playing: false,
  trainingTime: null,
  renderMap: null,
  frame: null,
  isBehind: false,
  connection: 'connecting',
  announcement: '',
};

/**
 * @typedef {object} Store
 * @property {() => Readonly<State>} get  returns the object that `set` changes, so that a drag does not copy the state
 * @property {(patch: Partial<State>) => void} set
 * @property {(keys: readonly (keyof State)[], listener: (state: Readonly<State>) => void) => () => void} watch
 *   calls the listener at once and whenever one of the keys has changed; returns a function that ends it
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

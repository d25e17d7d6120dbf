/**
 * What can lie on the map, from the ground up. No DOM.
 *
 * @typedef {'tiles' | 'density' | 'magnification' | 'entropy' | 'label' | 'contours' | 'prior' | 'codes'
 *   | 'images' | 'names'} LayerId
 *
 * @typedef {object} Layer
 * @property {boolean} isOn
 * @property {number} opacity  0..1
 *
 * @typedef {Readonly<Record<LayerId, Readonly<Layer>>>} Layers
 */

/** @type {Layers} */
export const LAYERS = {
  tiles: { isOn: true, opacity: 0.6 },
  density: { isOn: false, opacity: 0.7 },
  magnification: { isOn: false, opacity: 0.7 },
  entropy: { isOn: false, opacity: 0.7 },
  label: { isOn: false, opacity: 0.45 },
  contours: { isOn: false, opacity: 0.8 },
  prior: { isOn: true, opacity: 0.5 },
  codes: { isOn: true, opacity: 0.85 },
  images: { isOn: true, opacity: 1 },
  names: { isOn: true, opacity: 1 },
};

/** @type {readonly LayerId[]} */
export const LAYER_IDS = /** @type {LayerId[]} */ (Object.keys(LAYERS));

/**
 * The layers with one of them changed.
 *
 * @param {Layers} layers
 * @param {LayerId} id
 * @param {Partial<Layer>} change
 * @returns {Layers}
 */
export const changed = (layers, id, change) => ({ ...layers, [id]: { ...layers[id], ...change } });

/** How strongly a layer shows; 0: not at all. @type {(layer: Layer) => number} */
export const strength = ({ isOn, opacity }) => (isOn ? opacity : 0);

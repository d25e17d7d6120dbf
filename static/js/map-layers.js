/**
 * The layers of the map, from bottom to top: their defaults, their texts, and their short form in the URL. No DOM.
 *
 * @typedef {'density' | 'magnification' | 'entropy' | 'label'} FieldId
 * @typedef {'tiles' | FieldId | 'contours' | 'prior' | 'codes' | 'images' | 'names'} LayerId
 *
 * @typedef {object} Layer
 * @property {boolean} isOn
 * @property {number} opacity  0..1
 *
 * @typedef {Readonly<Record<LayerId, Readonly<Layer>>>} Layers
 *
 * @typedef {object} LayerText  for the visitor
 * @property {string} title
 * @property {string} about
 */

/** @type {Layers} */
export const LAYERS = {
  tiles: { isOn: true, opacity: 0.45 },
  density: { isOn: false, opacity: 0.7 },
  magnification: { isOn: false, opacity: 0.7 },
  entropy: { isOn: false, opacity: 0.7 },
  label: { isOn: true, opacity: 0.25 },
  contours: { isOn: false, opacity: 0.7 },
  prior: { isOn: true, opacity: 0.4 },
  codes: { isOn: true, opacity: 1 },
  images: { isOn: true, opacity: 1 },
  names: { isOn: true, opacity: 1 },
};

/** @type {readonly LayerId[]} */
export const LAYER_IDS = /** @type {LayerId[]} */ (Object.keys(LAYERS));

/** @type {readonly FieldId[]} */
export const FIELD_IDS = ['density', 'magnification', 'entropy', 'label'];

/** @type {Readonly<Record<LayerId, LayerText>>} */
export const LAYER_TEXTS = {
  tiles: { title: 'Decoded images', about: 'What the decoder draws at each place; zoom in for more.' },
  density: { title: 'Density of the codes', about: 'How many images are encoded here. Where it fades into the ground, next to no image taught the decoder what belongs there.' },
  magnification: { title: 'Magnification', about: 'How much an area of the plane is stretched into images: √det JᵀJ of the decoder. High along the seams, where one thing turns into the next.' },
  entropy: { title: 'Blur', about: 'Entropy of the pixels: how undecided the decoder is.' },
  label: { title: 'Regions of the labels', about: 'The label that most codes near a place have.' },
  contours: { title: 'Equal distance from the point', about: 'Of two numbers only. How far, as a geodesic measures it: where lines crowd, the image changes fast, or codes are few.' },
  prior: { title: 'Circles of the prior', about: '1, 2 and 3 σ. Of the draws from the prior, 39 % lie within the first, 47 % between the first two, 12 % between the second and the third.' },
  codes: { title: 'Codes of test images', about: 'Where the encoder puts each test image, coloured by label.' },
  images: { title: 'The test images themselves', about: 'In place of their dots, where few enough are in sight, each with the spread of its posterior: one standard deviation. Zoom in.' },
  names: { title: 'Names of the labels', about: 'Each where its codes are densest.' },
};

/**
 * Return the layers with one of them changed.
 *
 * @param {Layers} layers
 * @param {LayerId} id
 * @param {Partial<Layer>} change
 * @returns {Layers}
 */
export const changed = (layers, id, change) => ({ ...layers, [id]: { ...layers[id], ...change } });

/** The opacity at which a layer is painted; 0: it is off. @type {(layer: Layer) => number} */
export const strength = ({ isOn, opacity }) => (isOn ? opacity : 0);

/**
 * Return what differs from the defaults, in short form: `density,tiles~80,codes~off`.
 *
 * @param {Layers} layers
 */
export function formatLayers(layers) {
  const parts = LAYER_IDS.map((id) => {
    const { isOn, opacity } = layers[id];
    if (!isOn) return LAYERS[id].isOn ? `${id}~off` : '';
    const percent = Math.round(100 * opacity);
    if (percent !== Math.round(100 * LAYERS[id].opacity)) return `${id}~${percent}`;
    return LAYERS[id].isOn ? '' : id;
  });
  return parts.filter(Boolean).join(',');
}

/**
 * Parse the short form of layers. Parts that are no layer or no opacity are returned as `unknown`.
 *
 * @param {string} text
 * @returns {{layers: Layers, unknown: string[]}}
 */
export function parseLayers(text) {
  let layers = LAYERS;
  const unknown = [];
  for (const part of text.split(',').filter(Boolean)) {
    const [name, how = 'on'] = part.split('~');
    const id = LAYER_IDS.find((known) => known === name);
    if (!id || !/^(on|off|[1-9]\d?|100)$/.test(how)) unknown.push(part);
    else if (how === 'off') layers = changed(layers, id, { isOn: false });
    else layers = changed(layers, id, how === 'on' ? { isOn: true } : { isOn: true, opacity: Number(how) / 100 });
  }
  return { layers, unknown };
}

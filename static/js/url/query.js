/**
 * The part of the state that the URL's query holds, so that a link shows the same view. No DOM.
 *
 * ?model=mnist-vae-2d&z=0.75,-0.35&panel=path&digits=49&walk=3~11~linear
 * ?model=mnist-denoising-ae-20d&panel=draw&image=7&noise=0.5
 * ?model=mnist-vae-2d&panel=measures&beside=mnist-ae-2d
 * ?model=mnist-vae-2d&at=0.5,-1.25,8&layers=density,tiles~80,codes~off
 * ?model=mnist-vae-20d&plane=digits-3-8
 * ?model=mnist-vae-2d&twin=mnist-ae-2d&link=coordinates&draws=1&from=standard
 * ?model=mnist-vae-2d&panel=learn&lesson=seam
 * ?model=mnist-vae-20d&panel=vary&along=slant~12.5, or along=label-4~0.5
 * ?model=mnist-vae-20d&projection=tsne
 * ?model=mnist-vae-2d&present=1
 * A path's end is the index of a test image, or a latent's numbers separated by commas. `at` is the point of the
 * plane in the middle of the map, and its zoom.
 *
 * @typedef {import('../store.js').State} State
 * @typedef {import('../store.js').End} End
 * @typedef {import('../latent/plane.js').Latent} Latent
 * @typedef {import('../map/camera.js').Framing} Framing
 * @typedef {Pick<State, 'model' | 'plane' | 'latent' | 'framing' | 'layers' | 'panel' | 'lesson' | 'digits' | 'path'
 *   | 'testImage' | 'noise' | 'referenceModel' | 'secondModel' | 'link' | 'sampleSeed' | 'drawSource' | 'along'
 *   | 'projection' | 'presenting'>} UrlState
 */
import { PATH_KINDS } from '../latent/path.js';
import { LAYERS, formatLayers, parseLayers } from '../map-layers.js';
import { DRAW_SOURCES, INITIAL, LINKS, PANELS } from '../store.js';

/** Decimals of a latent: no grey level shows a smaller change. */
const PLACES = 4;
/** Decimals of the map's middle: a pixel at the deepest zoom. */
const FINE_PLACES = 6;

/** The state for an empty query. @type {UrlState} */
export const DEFAULTS = (({
  model, plane, latent, framing, layers, panel, lesson, digits, path, testImage, noise, referenceModel, secondModel,
  link, sampleSeed, drawSource, along, projection, presenting,
}) => {
  return {
    model, plane, latent, framing, layers, panel, lesson, digits, path, testImage, noise, referenceModel, secondModel,
    link, sampleSeed, drawSource, along, projection, presenting,
  };
})(INITIAL);

/**
 * Return the query for a state. Defaults are left out.
 *
 * @param {UrlState} state
 * @returns {string}  without `?`
 */
export function toQuery({
  model, plane, latent, framing, layers, panel, lesson, digits, path, testImage, noise, referenceModel, secondModel,
  link, sampleSeed, drawSource, along, projection, presenting,
}) {
  const parts = [];
  if (model) parts.push(`model=${encodeURIComponent(model)}`);
  if (plane) parts.push(`plane=${plane}`);
  if (latent) parts.push(`z=${formatLatent(latent)}`);
  if (framing) parts.push(`at=${formatFraming(framing)}`);
  if (layers !== LAYERS && formatLayers(layers)) parts.push(`layers=${formatLayers(layers)}`);
  if (panel !== 'point') parts.push(`panel=${panel}`);
  if (lesson) parts.push(`lesson=${lesson}`);
  if (digits) parts.push(`digits=${digitsOf(digits).join('')}`);
  if (path) parts.push(`walk=${formatEnd(path.start)}~${formatEnd(path.end)}~${path.kind}`);
  if (testImage !== null) parts.push(`image=${testImage}`);
  if (noise) parts.push(`noise=${+noise.toFixed(2)}`);
  if (referenceModel) parts.push(`beside=${encodeURIComponent(referenceModel)}`);
  if (secondModel) parts.push(`twin=${encodeURIComponent(secondModel)}`);
  if (secondModel && link !== INITIAL.link) parts.push(`link=${link}`);
  if (secondModel && sampleSeed) parts.push(`draws=${sampleSeed}`);
  if (secondModel && drawSource !== INITIAL.drawSource) parts.push(`from=${drawSource}`);
  if (along) parts.push(`along=${along.attribute}~${+along.amount.toFixed(PLACES) || 0}`);
  if (projection) parts.push(`projection=${projection}`);
  if (presenting) parts.push('present=1');
  return parts.join('&');
}

/**
 * Return the state that a query describes. Parts that are unknown or invalid are left out.
 *
 * @param {string} query
 * @returns {Partial<UrlState>}
 */
export function fromQuery(query) {
  const params = new URLSearchParams(query);
  /** @type {Partial<UrlState>} */
  const found = {};
  const model = params.get('model');
  if (model) found.model = model;
  const plane = params.get('plane') ?? '';
  if (/^[\w-]+$/.test(plane)) found.plane = plane;
  const latent = parseLatent(params.get('z') ?? '');
  if (latent) found.latent = latent;
  const framing = parseFraming(params.get('at') ?? '');
  if (framing) found.framing = framing;
  const { layers } = parseLayers(params.get('layers') ?? '');
  if (formatLayers(layers)) found.layers = layers;
  const panel = PANELS.find((name) => name === params.get('panel'));
  if (panel) found.panel = panel;
  const lesson = params.get('lesson') ?? '';
  if (/^[a-z][a-z0-9-]*$/.test(lesson)) found.lesson = lesson;
  const digits = params.get('digits') ?? '';
  if (/^[0-9]+$/.test(digits)) found.digits = [...digits].reduce((bits, d) => bits | (1 << +d), 0);
  const [start, end, kind] = (params.get('walk') ?? '').split('~');
  const ends = [parseEnd(start ?? ''), parseEnd(end ?? '')];
  const pathKind = PATH_KINDS.find((name) => name === kind);
  if (ends[0] && ends[1] && pathKind) {
    found.path = { start: ends[0], end: ends[1], kind: pathKind };
  }
  const image = parseEnd(params.get('image') ?? '');
  if (image && 'image' in image) found.testImage = image.image;
  const noise = params.get('noise') ?? '';
  if (/^(0?\.\d+|1)$/.test(noise)) found.noise = Number(noise);
  const beside = params.get('beside');
  if (beside) found.referenceModel = beside;
  const twin = params.get('twin');
  if (twin) found.secondModel = twin;
  const link = LINKS.find((name) => name === params.get('link'));
  if (link) found.link = link;
  const draws = params.get('draws') ?? '';
  if (/^[1-9]\d{0,8}$/.test(draws)) found.sampleSeed = Number(draws);
  const source = DRAW_SOURCES.find((name) => name === params.get('from'));
  if (source) found.drawSource = source;
  const [, attribute, amount] = /^([a-z][a-z0-9-]*)~(-?\d{1,6}(?:\.\d+)?)$/.exec(params.get('along') ?? '') ?? [];
  if (attribute) found.along = { attribute, amount: Number(amount) };
  const projection = params.get('projection') ?? '';
  if (/^[a-z]{1,20}$/.test(projection)) found.projection = projection;
  if (params.get('present') === '1') found.presenting = true;
  return found;
}

/**
 * Return the parts of a query that `fromQuery` leaves out.
 *
 * @param {string} query
 * @returns {string[]}
 */
export function unknownIn(query) {
  return [...new URLSearchParams(query)].flatMap(([name, value]) => {
    if (name === 'layers') return parseLayers(value).unknown.map((part) => `layers=${part}`);
    const part = new URLSearchParams([[name, value]]);
    return Object.keys(fromQuery(`${part}`)).length ? [] : [`${name}=${value}`];
  });
}

/**
 * Return the digits whose bits are set.
 *
 * @param {number} bits
 * @returns {number[]}
 */
export const digitsOf = (bits) => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((d) => bits & (1 << d));

/** @type {(latent: Latent) => string} */
const formatLatent = (latent) => latent.map((z) => `${+z.toFixed(PLACES) || 0}`).join(',');

/** @type {(text: string) => Latent | null} */
function parseLatent(text) {
  const latent = text.split(',').map((z) => (/\d/.test(z) ? Number(z) : NaN));
  return latent.length > 1 && latent.every((z) => Math.abs(z) <= 10_000) ? latent : null;
}

/** @type {(framing: Framing) => string} */
const formatFraming = ({ u, v, zoom }) =>
  `${+u.toFixed(FINE_PLACES) || 0},${+v.toFixed(FINE_PLACES) || 0},${+zoom.toPrecision(5)}`;

/** @type {(text: string) => Framing | null} */
function parseFraming(text) {
  const numbers = text.split(',').map((part) => (/\d/.test(part) ? Number(part) : NaN));
  const [u, v, zoom] = numbers;
  const isValid = numbers.length === 3 && numbers.every((number) => Math.abs(number) <= 1e6) && zoom > 0;
  return isValid ? { u, v, zoom } : null;
}

/** @type {(end: End) => string} */
const formatEnd = (end) => ('image' in end ? `${end.image}` : formatLatent(end.latent));

/** @type {(text: string) => End | null} */
function parseEnd(text) {
  if (/^\d{1,5}$/.test(text)) return { image: Number(text) };
  const latent = parseLatent(text);
  return latent && { latent };
}

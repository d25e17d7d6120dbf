/**
 * The server's API as functions. Only this module calls `fetch`. URLs are relative to the page, so it works under any
 * path of a proxy.
 *
 * @typedef {import('./api-types.js').components['schemas']} Schemas
 * @typedef {Schemas['Card']} Card
 * @typedef {Schemas['ModelList']} ModelList
 * @typedef {Schemas['MeasureJson']} Measure
 * @typedef {Required<Schemas['EncodedItem']>} Encoded
 * @typedef {Schemas['InterpolateResponse']} Interpolation
 * @typedef {Schemas['HistoryResponse']} History
 * @typedef {Schemas['AttributeList']} Attributes
 * @typedef {Schemas['FactorJson']} Factor
 * @typedef {Schemas['DirectionResponse']} Direction
 * @typedef {Schemas['TraverseResponse']} Traversal
 * @typedef {Schemas['ProjectionList']} Projections
 * @typedef {Schemas['ProjectionJson']} Projection
 * @typedef {Schemas['SampleResponse']} Sample
 * @typedef {Schemas['ImageJson']} Image
 * @typedef {import('./latent/plane.js').Latent} Latent
 * @typedef {import('./latent/plane.js').Plane} Plane
 * @typedef {import('./map/tile-grid.js').Tile} Tile
 * @typedef {import('./map-layers.js').FieldId} FieldId
 * @typedef {import('./store.js').PathKind} PathKind
 *
 * @typedef {object} Codes  of the test images, in the data set's order
 * @property {number} count
 * @property {number} dim
 * @property {Float32Array} values  count x dim
 * @property {Uint8Array} labels
 *
 * @typedef {readonly [number, number, number, number]} PhotoBox  left, top, right, bottom, in shares of an upright picture
 * @typedef {readonly [number, number]} PhotoPlace  from the left, from the top, in the same shares
 *
 * @typedef {object} Overrides  what is said of a picture, so that the server need not guess
 * @property {PhotoBox} box  what of it is looked at
 * @property {PhotoPlace | null} at  a place on the shape that is meant
 * @property {'light-on-dark' | 'dark-on-light' | null} polarity
 * @property {number} brightness  -1..1; 0: as it is
 *
 * @typedef {object} Reading  the range of a field: its lowest level stands for `low`, its highest for `high`
 * @property {number} low
 * @property {number} high
 * @property {string} unit
 * @property {string} scale  linear, log or index
 *
 * @typedef {ReturnType<typeof createApi>} Api
 */
import { axesOf } from './lib/image-shape.js';
import { npyOf } from './lib/npy.js';
import { labelIn } from './latent/direction.js';

/** A request was refused, or got no answer. The message is for the visitor. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number | null} [retryAfter]  seconds after which the server allows another try; null: it names none
   */
  constructor(message, retryAfter = null) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** @type {(start: Latent, end: Latent, path: PathKind, steps: number) => object} */
const pathBody = (start, end, path, steps) => ({ start: { latent: start }, end: { latent: end }, path, steps });

/**
 * @param {string} base  URL of the page
 */
export function createApi(base) {
  /** @param {string} path */
  const urlOf = (path) => new URL(`api/v1/${path}`, base);
  /** @param {string} model */
  const at = (model) => `models/${encodeURIComponent(model)}`;

  /** @type {(model: string, plane: Plane, tile: Tile) => string} */
  const tileOf = (model, { id, version }, { level, x, y }) =>
    `${at(model)}/planes/${id}/tiles/${level}/${x}/${y}.png?v=${version}`;

  /**
   * @param {string} path
   * @param {RequestInit} [init]
   */
  async function ask(path, init) {
    let response;
    try {
      response = await fetch(urlOf(path), init);
    } catch (error) {
      if (init?.signal?.aborted) throw error;
      throw new ApiError(navigator.onLine ? UNREACHABLE : 'There is no network.');
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => null);
    const retryAfter = retryAfterIn(response);
    throw new ApiError(sentenceFor(response.status, problem?.detail, retryAfter), retryAfter);
  }

  /**
   * @param {string} path
   * @param {unknown} body
   * @param {string} accept
   * @param {AbortSignal} [signal]
   */
  const post = (path, body, accept, signal) =>
    ask(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: accept },
      body: JSON.stringify(body),
      signal,
    });

  return {
    /** @returns {Promise<ModelList>} */
    models: async () => (await ask('models')).json(),

    /** @returns {Promise<Measure[]>} */
    measures: async () => (await (await ask('measures')).json()).measures,

    /** @type {(model: string, signal?: AbortSignal) => Promise<Plane[]>} */
    planes: async (model, signal) => (await ask(`${at(model)}/planes`, { signal })).json(),

    /** @type {(model: string, name: string, signal?: AbortSignal) => Promise<Plane>} */
    plane: async (model, name, signal) => (await ask(`${at(model)}/planes/${name}`, { signal })).json(),

    /** @type {(model: string, latent: Latent) => string} */
    decodedUrl: (model, latent) => urlOf(`${at(model)}/decode.png?z=${latent.join(',')}&size=56`).href,

    /** @type {(model: string, plane: Plane, tile: Tile, signal?: AbortSignal) => Promise<Blob>} */
    tile: async (model, plane, tile, signal) => (await ask(tileOf(model, plane, tile), { signal })).blob(),

    /** @type {(model: string, plane: Plane, tile: Tile) => string} */
    tileUrl: (model, plane, tile) => urlOf(tileOf(model, plane, tile)).href,

    /**
     * @type {(model: string, plane: Plane, field: FieldId, signal?: AbortSignal)
     *   => Promise<{image: Blob, reading: Reading}>}
     */
    async field(model, { id, version }, field, signal) {
      const answer = await ask(`${at(model)}/planes/${id}/fields/${field}.png?v=${version}`, { signal });
      return { image: await answer.blob(), reading: readingOf(answer.headers.get('Explorer-Field')) };
    },

    /** The data sets with the names of their labels. @returns {Promise<Schemas['DatasetJson'][]>} */
    datasets: async () => (await (await ask('datasets')).json()).datasets,

    /** A sheet of 32 x 32 test images. @type {(dataset: string, n: number) => Promise<Blob>} */
    sprites: async (dataset, n) => (await ask(`datasets/${dataset}/sprites/${n}.png`)).blob(),

    /** @type {(model: string, version: string, signal?: AbortSignal) => Promise<History>} */
    history: async (model, version, signal) =>
      (await ask(`${at(model)}/history?projected=true&v=${version}`, { signal })).json(),

    /** @type {(model: string, latent: Latent, signal?: AbortSignal) => Promise<Schemas['DistancesResponse']>} */
    distances: async (model, latent, signal) =>
      (await ask(`${at(model)}/distances?z=${latent.join(',')}`, { signal })).json(),

    /** Return the codes, or the first of them. @type {(model: string, signal?: AbortSignal, most?: number) => Promise<Codes>} */
    async codes(model, signal, most) {
      const part = most === undefined ? '' : `?count=${most}`;
      const data = await (await ask(`${at(model)}/codes${part}`, { signal })).arrayBuffer();
      const [count, dim] = new Uint32Array(data, 0, 2);
      return {
        count,
        dim,
        values: new Float32Array(data, 8, count * dim),
        labels: new Uint8Array(data, 8 + 4 * count * dim, count),
      };
    },

    /**
     * Sample latents from the prior; for an autoencoder, from the Gaussian fitted to its codes.
     *
     * @type {(model: string, count: number, seed: number, signal?: AbortSignal) => Promise<Sample>}
     */
    async sample(model, count, seed, signal) {
      return (await post(`${at(model)}/sample`, { count, seed }, 'application/json', signal)).json();
    },

    /** @type {(model: string, signal?: AbortSignal) => Promise<Attributes>} */
    attributes: async (model, signal) => (await ask(`${at(model)}/attributes`, { signal })).json(),

    /** @type {(model: string, signal?: AbortSignal) => Promise<Projections>} */
    projections: async (model, signal) => (await ask(`${at(model)}/projections`, { signal })).json(),

    /** Return x and y of each code in a projection. @type {(model: string, id: string, signal?: AbortSignal) => Promise<Float32Array>} */
    async projection(model, id, signal) {
      const headers = { Accept: 'application/octet-stream' };
      return new Float32Array(await (await ask(`${at(model)}/projections/${id}`, { headers, signal })).arrayBuffer());
    },

    /** @type {(model: string, attribute: string, signal?: AbortSignal) => Promise<Direction>} */
    async direction(model, attribute, signal) {
      const label = labelIn(attribute);
      const body = label === null ? { factor: attribute } : { label };
      return (await post(`${at(model)}/directions`, body, 'application/json', signal)).json();
    },

    /**
     * Decode a row of `steps` images for each number of the latent in use, or for those of `dimensions`.
     *
     * @type {(model: string, latent: Latent, steps: number, dimensions?: readonly number[], signal?: AbortSignal)
     *   => Promise<Traversal>}
     */
    async traverse(model, latent, steps, dimensions, signal) {
      return (await post(`${at(model)}/traverse`, { latent, steps, dimensions }, 'application/json', signal)).json();
    },

    /** @type {(model: string, file: Blob, said: Overrides | null, signal?: AbortSignal) => Promise<Encoded>} */
    async encode(model, file, said, signal) {
      const body = new FormData();
      body.append('file', file, 'image');
      for (const [name, value] of said ? fieldsOf(said) : []) body.append(name, value);
      const answer = await ask(`${at(model)}/encode`, { method: 'POST', body, signal });
      return (await answer.json()).items[0];
    },

    /**
     * Encode an image given as rows of intensities, 0..1, in colour of three a pixel.
     *
     * @type {(model: string, rows: (number | number[])[][], signal?: AbortSignal) => Promise<Encoded>}
     */
    async encodePixels(model, rows, signal) {
      const answer = await post(`${at(model)}/encode`, { images: [rows] }, 'application/json', signal);
      return (await answer.json()).items[0];
    },

    /**
     * Encode images given as numbers of 0..255, one after the other; only the covariance of each is answered.
     *
     * @type {(card: Card, levels: Uint8Array, count: number) => Promise<Pick<Encoded, 'covariance'>[]>}
     */
    async encodeLevels(card, levels, count) {
      const answer = await ask(`${at(card.id)}/encode?include=covariance`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-npy' },
        body: npyOf(levels, axesOf(card.image, count)),
      });
      return (await answer.json()).items;
    },

    /**
     * @type {(model: string, start: Latent, end: Latent, path: PathKind, steps: number, signal?: AbortSignal)
     *   => Promise<Interpolation>}
     */
    async interpolate(model, start, end, path, steps, signal) {
      return (await post(`${at(model)}/interpolate`, pathBody(start, end, path, steps), 'application/json', signal)).json();
    },

    /** @type {(model: string, start: Latent, end: Latent, path: PathKind, steps: number, type: string) => Promise<Blob>} */
    async pathFile(model, start, end, path, steps, type) {
      return (await post(`${at(model)}/interpolate`, pathBody(start, end, path, steps), type)).blob();
    },

    /** @type {(dataset: string, index: number) => string} */
    testImageUrl: (dataset, index) => urlOf(`datasets/${dataset}/images/${index}.png`).href,

    /** @type {(dataset: string, index: number, signal?: AbortSignal) => Promise<Blob>} */
    testImage: async (dataset, index, signal) =>
      (await ask(`datasets/${dataset}/images/${index}.png`, { signal })).blob(),

    /**
     * Decode latents to the numbers of an image each, one after the other.
     *
     * @type {(model: string, latents: readonly Latent[], signal?: AbortSignal) => Promise<Uint8Array>}
     */
    async decode(model, latents, signal) {
      const answer = await post(`${at(model)}/decode`, { latents }, 'application/octet-stream', signal);
      return new Uint8Array(await answer.arrayBuffer());
    },

    /**
     * Ask the server why no stream opens: it answers a request that is no handshake with a sentence, 426.
     *
     * @type {(model: string) => Promise<string | null>}  null: it does not say
     */
    async whyNoStream(model) {
      const url = urlOf(`${at(model)}/stream`);
      url.searchParams.set('origin', url.origin);
      const response = await fetch(url).catch(() => null);
      if (response?.status !== 426) return null;
      return (await response.json().catch(() => null))?.detail ?? null;
    },

    /** @type {(model: string) => WebSocket} */
    stream(model) {
      const url = urlOf(`${at(model)}/stream`);
      url.protocol = url.protocol.replace('http', 'ws');
      return new WebSocket(url);
    },
  };
}

/** The form's fields for what differs from saying nothing. @type {(said: Overrides) => [string, string][]} */
export function fieldsOf({ box, at, polarity, brightness }) {
  const text = (/** @type {readonly number[]} */ shares) => shares.map((share) => Number(share.toFixed(4))).join(',');
  /** @type {[string, string][]} */
  const fields = [];
  if (text(box) !== '0,0,1,1') fields.push(['box', text(box)]);
  if (at) fields.push(['at', text(at)]);
  if (polarity) fields.push(['polarity', polarity]);
  if (brightness) fields.push(['brightness', `${brightness}`]);
  return fields;
}

const UNREACHABLE = 'The server does not answer. Is it still running?';

/**
 * Say in a sentence for the visitor why a request was refused. What is wrong with an image or a model is said in the
 * server's own words; how much waits in its queues is its operator's affair.
 *
 * @param {number} status
 * @param {string | undefined} detail  of the server's problem document, if it sent one
 * @param {number | null} retryAfter
 */
export function sentenceFor(status, detail, retryAfter) {
  if (retryAfter !== null || status === 408 || status === 429) return 'The server is busy. Try again in a moment.';
  if (status >= 502 && status <= 504) return detail ?? UNREACHABLE; // without a detail it is a proxy that answers
  return detail ?? `The server could not do this, and does not say why (status ${status}).`;
}

/** The seconds after which a busy server allows another try; null: it names none. @param {Response} response */
function retryAfterIn({ status, headers }) {
  const header = headers.get('Retry-After') ?? '';
  return (status === 429 || status === 503) && /^\d+$/.test(header) ? Number(header) : null;
}

/**
 * Parse an Explorer-Field header, such as `low=0.1; high=250; unit=per squared unit; scale=log`.
 *
 * @param {string | null} header
 * @returns {Reading}
 */
export function readingOf(header) {
  const parts = new Map((header ?? '').split(';').map((part) => {
    const [name, ...value] = part.split('=');
    return [name.trim(), value.join('=').trim()];
  }));
  const number = (/** @type {string} */ name) => Number(parts.get(name) ?? NaN);
  return { low: number('low'), high: number('high'), unit: parts.get('unit') ?? '', scale: parts.get('scale') ?? '' };
}

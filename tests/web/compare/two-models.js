/**
 * The codes of three images in two models, LEFT and RIGHT.
 */
export const card = (id, more = {}) =>
  ({ id, dataset: 'mnist', latent_dim: 2, family: 'vae', planes: ['latent'], ...more });

export const codesOf = (rows) => ({
  count: rows.length,
  dim: rows[0].length,
  values: Float32Array.from(rows.flat()),
  labels: new Uint8Array(rows.length),
});

const plane = (reach) =>
  ({ id: 'latent', origin: [0, 0], axes: [[1, 0], [0, 1]], extent: [[-reach, -reach], [reach, reach]] });

export const LEFT = { card: card('left'), plane: plane(4), codes: codesOf([[0, 0], [1, 0], [0, 2]]) };
export const RIGHT = { card: card('right'), plane: plane(40), codes: codesOf([[10, 10], [-5, 3], [0, -20]]) };

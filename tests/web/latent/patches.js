/**
 * Codes of models with one plane, FLAT.
 */
export const FLAT = { id: 'latent', title: '', origin: [0, 0], axes: [[1, 0], [0, 1]], extent: [[-4, -4], [4, 4]] };
export const VAE = { family: 'vae', latent_dim: 2 };
export const AE = { family: 'ae', latent_dim: 2 };

/** Square patches of codes, `half` wide to each side, 20 x 20 each. */
export function patches(...places) {
  const values = [];
  const labels = [];
  for (const { label, u, v, half } of places) {
    for (let i = 0; i < 400; i++) {
      values.push(u + half * (((i % 20) - 9.5) / 10), v + half * ((Math.floor(i / 20) - 9.5) / 10));
      labels.push(label);
    }
  }
  return { count: labels.length, dim: 2, values: new Float32Array(values), labels: new Uint8Array(labels) };
}

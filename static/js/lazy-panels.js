/**
 * Mounts the panels that are imported after the first map.
 *
 * @typedef {import('./store.js').Store} Store
 * @typedef {import('./api.js').Api} Api
 */
import { breath } from './lib/breath.js';
import { mount as mountDirections } from './panels/directions.js';
import { mount as mountDraw } from './panels/draw.js';
import { mount as mountLatentSliders } from './panels/latent-sliders.js';
import { mount as mountLayers } from './panels/layers.js';
import { mount as mountLearn } from './panels/learn.js';
import { mount as mountMeasures } from './panels/measures.js';
import { mount as mountPath } from './panels/path.js';
import { mount as mountPlanes } from './panels/planes.js';
import { mount as mountProjection } from './panels/projection.js';
import { mount as mountSave } from './panels/save.js';
import { mount as mountTraining } from './panels/training.js';
import { mount as mountTraversals } from './panels/traversals.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export async function mount(root, store, api) {
  for (const mountPanel of [
    mountDraw,
    mountLayers,
    mountLearn,
    mountMeasures,
    mountLatentSliders,
    mountPath,
    mountDirections,
    mountTraversals,
    mountPlanes,
    mountProjection,
    mountSave,
    mountTraining,
  ]) {
    mountPanel(root, store, api);
    await breath();
  }
}

/**
 * The page: one store, one api, and what is mounted on them.
 *
 * What a test may rely on, besides ids and roles:
 * - `html[data-state=ready]`: all is mounted; `#plane[data-state]`: `painted`: the map shows a model,
 *   `empty`: the model has no plane, and `#codebook` is there instead.
 * - `#map[data-view]`: u0,v0,u1,v1 of the whole map. `#readout[data-latent]`: the whole latent.
 * - `#choose-model[data-model]`: id of the chosen model; `[data-pending]`: it is on its way.
 * - `#twin`: the map beside, see later/twin.js.
 * - `#decoded`: 28 x 28, its grey levels are the server's bytes in either theme.
 * - `#status[data-connection]`: connecting, open or reconnecting; `data-p50`, `data-p95`: round trip, ms.
 * - Measures in `performance`: see live.js.
 */
import { createApi } from './api.js';
import { hasPlane } from './latent/model-groups.js';
import { mount as mountHistory, opening } from './url/history.js';
import { INITIAL, createStore } from './store.js';
import { mount as mountAtlasLoader } from './load-model.js';
import { mount as mountLive } from './stream/live-decode.js';
import { mount as mountSlice } from './latent/follow-point.js';
import { mount as mountCanvas } from './map/canvas.js';
import { mount as mountCodebook } from './map/codebook.js';
import { mount as mountHand } from './map/pointer-input.js';
import { mount as mountHover } from './map/hover.js';
import { mount as mountIntro } from './map/intro.js';
import { mount as mountKeys } from './map/keyboard-input.js';
import { mount as mountRing } from './map/ring.js';
import { mount as mountTools } from './map/zoom-buttons.js';
import { mount as mountView } from './map/viewport.js';
import { mount as mountWhereabouts } from './map/announcer.js';
import { mount as mountLegend } from './panels/legend.js';
import { mount as mountModels } from './panels/models.js';
import { mount as mountPoint } from './panels/point.js';
import { mount as mountRemark } from './panels/link-warning.js';
import { mount as mountSpecimen } from './panels/decoded-image.js';
import { mount as mountTabs } from './panels/tabs.js';
import { mount as mountTwin } from './compare/button.js';

const store = createStore({ ...INITIAL, ...opening() });
const api = createApi(document.baseURI);
const root = document.body;

for (const mount of [
  mountTabs,
  mountModels,
  mountTwin,
  mountView,
  mountCanvas,
  mountRing,
  mountHand,
  mountKeys,
  mountTools,
  mountCodebook,
  mountSpecimen,
  mountPoint,
  mountSlice,
  mountLegend,
  mountHover,
  mountWhereabouts,
  mountLive,
  mountIntro,
  mountAtlasLoader,
  mountHistory,
  mountRemark,
]) {
  mount(root, store, api);
}

/** What nobody needs before there is a map. */
async function mountRest() {
  unwatch();
  const { mount } = await import('./lazy-panels.js');
  mount(root, store, api);
  document.documentElement.dataset.state = 'ready';
}

/** If the map's images do not come, the rest must not wait for them. */
const PATIENCE_MILLISECONDS = 2000;
let timer = 0;
const unwatch = store.watch(['shown', 'isMapDrawn'], ({ shown, isMapDrawn }) => {
  if (!shown) return;
  clearTimeout(timer);
  timer = setTimeout(mountRest, isMapDrawn || !hasPlane(shown) ? 0 : PATIENCE_MILLISECONDS);
});

/**
 * The page: one store, one API, and the parts mounted on them.
 *
 * Besides ids and roles, tests rely on these attributes:
 * - `html[data-state=ready]`: everything is mounted.
 * - `#plane[data-state]`: `painted`: the map shows a model; `empty`: the model has no plane, and `#codebook` is shown.
 * - `#plane[data-tiles]`, `#plane[data-fields]`: `whole`: all that the view needs has loaded; `loading`.
 * - `#plane[data-texts]`: the texts on the map and where they are, as JSON.
 * - `#map[data-view]`: u0,v0,u1,v1 of the whole map. `#readout[data-latent]`: the whole latent.
 * - `#choose-model[data-model]`: id of the chosen model; `[data-pending]`: it is loading.
 * - `#second-map`: the second map, see compare/second-map.js.
 * - `#decoded`: of the size of the model's images; its levels are the server's bytes in either theme.
 * - `body[data-images]`, `#second-map[data-images]`: whether images are in `grey` or in `colour`.
 * - `#status[data-connection]`: connecting, open, http, reconnecting or offline; `data-p50`, `data-p95`: round trip, ms.
 * - `.decoded-image[data-behind]`, `.ring[data-behind]`: the image is not that of the point.
 * - Measures in `performance`: see stream/live-decode.js.
 */
import { createApi } from './api.js';
import { mount as mountCompare } from './compare/button.js';
import { mount as mountFollowPoint } from './latent/follow-point.js';
import { hasPlane } from './latent/model-groups.js';
import { mount as mountLoadModel } from './load-model.js';
import { mount as mountAnnouncer } from './map/announcer.js';
import { mount as mountCanvas } from './map/canvas.js';
import { mount as mountCodebook } from './map/codebook.js';
import { mount as mountHover } from './map/hover.js';
import { mount as mountImageLook } from './map/image-look.js';
import { mount as mountIntro } from './map/intro.js';
import { mount as mountKeyboardInput } from './map/keyboard-input.js';
import { mount as mountPointerInput } from './map/pointer-input.js';
import { mount as mountRing } from './map/ring.js';
import { mount as mountViewport } from './map/viewport.js';
import { mount as mountZoomButtons } from './map/zoom-buttons.js';
import { mount as mountDecodedImage } from './panels/decoded-image.js';
import { mount as mountLegend } from './panels/legend.js';
import { mount as mountLinkWarning } from './panels/link-warning.js';
import { mount as mountModels } from './panels/models.js';
import { mount as mountPoint } from './panels/point.js';
import { mount as mountPresent } from './panels/present.js';
import { mount as mountTabs } from './panels/tabs.js';
import { breath } from './lib/breath.js';
import { INITIAL, createStore } from './store.js';
import { mount as mountLiveDecode } from './stream/live-decode.js';
import { mount as mountHistory, stateFromUrl } from './url/history.js';

const store = createStore({ ...INITIAL, ...stateFromUrl() });
const api = createApi(document.baseURI);
const root = document.body;

/** The parts of the first view. Each has a task of its own, so that none holds the browser up. */
const PARTS = [
  mountTabs,
  mountPresent,
  mountModels,
  mountCompare,
  mountImageLook,
  mountViewport,
  mountCanvas,
  mountRing,
  mountPointerInput,
  mountKeyboardInput,
  mountZoomButtons,
  mountCodebook,
  mountDecodedImage,
  mountPoint,
  mountFollowPoint,
  mountLegend,
  mountHover,
  mountAnnouncer,
  mountLiveDecode,
  mountIntro,
  mountLoadModel,
  mountHistory,
  mountLinkWarning,
];

async function mountAll() {
  for (const mount of PARTS) {
    await breath();
    mount(root, store, api);
  }
  mountRestLater();
}

/** Mount what no visitor needs before the map is there. */
async function mountLazyPanels() {
  const { mount } = await import('./lazy-panels.js');
  await mount(root, store, api);
  document.documentElement.dataset.state = 'ready';
}

/** The other panels wait no longer than this for the map's first tiles. */
const MAP_WAIT_MILLISECONDS = 2000;

function mountRestLater() {
  let timer = 0;
  const unwatch = store.watch(['shown', 'isMapDrawn'], ({ shown, isMapDrawn }) => {
    if (!shown) return;
    clearTimeout(timer);
    timer = setTimeout(mountRest, isMapDrawn || !hasPlane(shown) ? 0 : MAP_WAIT_MILLISECONDS);
  });

  function mountRest() {
    unwatch();
    void mountLazyPanels();
  }
}

void mountAll();

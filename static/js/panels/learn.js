/**
 * Things to try: each card sets the page so that it shows what it says.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').State} State
 * @typedef {import('../atlas.js').Atlas} Atlas
 * @typedef {import('../api.js').Card} Card
 * @typedef {import('../camera.js').Point} Point
 */
import { borderOf, holeOf, priorCentre } from '../atlas.js';
import { find, findAll } from '../elements.js';
import { latentAt } from '../plane.js';
import { walkOf } from '../walk.js';

/** @type {(atlas: Atlas, point: Point) => Partial<State>} */
const at = (atlas, point) => ({ latent: latentAt(atlas.plane, point) });

/**
 * @typedef {object} Lesson
 * @property {(card: Card) => boolean} model  the first that fits is shown
 * @property {(atlas: Atlas, state: Readonly<State>) => Partial<State>} show
 */

/** @type {(card: Card) => boolean} */
const isPlaneVae = ({ family, latent_dim: dim }) => family === 'vae' && dim === 2;
/** @type {(card: Card) => boolean} */
const isPlaneAutoencoder = ({ family, latent_dim: dim }) => family === 'ae' && dim === 2;

/** @type {Readonly<Record<string, Lesson>>} */
const LESSONS = {
  walk: {
    model: isPlaneVae,
    show: (atlas) => ({ walk: walkOf(atlas, null), playing: true }),
  },
  blur: {
    model: isPlaneVae,
    show: (atlas) => ({ ...at(atlas, borderOf(atlas, 4, 9)), digits: (1 << 4) | (1 << 9) }),
  },
  prior: {
    model: isPlaneVae,
    show: (atlas) => at(atlas, priorCentre(atlas.plane)),
  },
  fall: {
    model: isPlaneAutoencoder,
    show: (atlas, { walk }) => ({ walk: walkOf(atlas, walk), playing: true }),
  },
  hole: {
    model: isPlaneAutoencoder,
    show: (atlas) => at(atlas, holeOf(atlas)),
  },
  sharp: {
    model: ({ family, latent_dim: dim }) => family === 'vae' && dim > 2,
    show: (atlas) => ({ walk: walkOf(atlas, null), playing: true }),
  },
};

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const panel = find(root, '#panel-learn', HTMLElement);
  const cards = findAll(panel, 'button[data-lesson]', HTMLButtonElement);
  const listeners = new AbortController();
  /** A lesson whose model is still on its way. */
  let waiting = '';

  /** @param {string} name */
  const modelFor = (name) => store.get().models.find(LESSONS[name].model)?.id;

  function show() {
    const { atlas, model } = store.get();
    if (!waiting || !atlas || atlas.card.id !== model) return;
    const lesson = LESSONS[waiting];
    waiting = '';
    store.set({ digits: 0, route: null, touched: true, movedAt: 0, playing: false });
    store.set(lesson.show(atlas, store.get()));
  }

  for (const card of cards) {
    const name = card.dataset.lesson ?? '';
    card.addEventListener('click', () => {
      waiting = name;
      for (const other of cards) other.ariaPressed = `${other === card}`;
      store.set({ model: modelFor(name), touched: true, playing: false });
      show();
    }, { signal: listeners.signal });
  }

  const ends = [
    store.watch(['atlas'], show),
    store.watch(['models'], () => {
      for (const card of cards) {
        const item = card.closest('li');
        if (item) item.hidden = !modelFor(card.dataset.lesson ?? '');
      }
    }),
  ];
  return () => {
    listeners.abort();
    ends.forEach((end) => end());
  };
}

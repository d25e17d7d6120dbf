/**
 * A walk from one latent to another on each kind of path: film strips, scrubbing, playing, and saving it as a film.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').End} End
 * @typedef {import('../store.js').Walk} Walk
 * @typedef {import('../store.js').PathKind} PathKind
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../latent/plane.js').Latent} Latent
 */
import { Refusal } from '../api.js';
import { find, saveFile } from '../lib/dom.js';
import { patiently } from '../lib/retry.js';
import { PATH_KINDS, between, latentOf, walkOf } from '../latent/path.js';
import { mount as mountEnds } from './path-ends.js';
import { createWays } from './path-strips.js';

/** Steps asked for; every EVERY-th is a frame of the strip. */
const EVERY = 6;
const FRAMES = 12;
const STEPS = EVERY * (FRAMES - 1) + 1;
const WHOLE_WAY_MILLISECONDS = 7000;

/** @typedef {{atlas: Atlas, walk: Walk, start: Latent, end: Latent}} Wanted */

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const panel = find(root, '#panel-path', HTMLElement);
  const problem = find(panel, '#path-problem', HTMLElement);
  const scrub = find(panel, '#scrub', HTMLInputElement);
  const play = find(panel, '#play', HTMLButtonElement);
  const film = find(panel, '#film', HTMLSelectElement);
  const listeners = new AbortController();
  let request = new AbortController();
  /** What the routes on the map were asked for with. */
  let asked = '';
  /** @type {Map<PathKind, readonly Latent[]>} Those that are asked for and not here yet are empty. */
  const routes = new Map();
  let raf = 0;
  let playedAt = 0;
  scrub.max = `${STEPS - 1}`;

  /** @type {() => Wanted | null} */
  function wanted() {
    const { atlas, model } = store.get();
    if (!atlas || atlas.card.id !== model) return null;
    const walk = walkOf(atlas, store.get().walk);
    return { atlas, walk, start: latentOf(atlas, walk.start), end: latentOf(atlas, walk.end) };
  }

  function load() {
    const { panel: open, playing } = store.get();
    if (open !== 'path' && open !== 'learn') {
      forget();
      return store.set({ playing: false });
    }
    const now = wanted();
    if (!now || (open !== 'path' && !playing && !asked)) return;
    const question = JSON.stringify([now.atlas.card.id, now.start, now.end]);
    if (question !== asked) {
      forget();
      asked = question;
    }
    choose(now.walk.kind);
    const kinds = open === 'path' ? [now.walk.kind, ...PATH_KINDS] : [now.walk.kind];
    for (const kind of new Set(kinds)) if (!routes.has(kind)) void ask(now, kind);
  }

  function forget() {
    request.abort();
    request = new AbortController();
    asked = problem.textContent = '';
    scrub.value = '0';
    routes.clear();
    ways.clear();
    store.set({ route: null, byways: [] });
  }

  /** @param {PathKind} kind  that is walked */
  function choose(kind) {
    const here = PATH_KINDS.filter((other) => routes.get(other)?.length);
    const byways = here.filter((other) => other !== kind).map((other) => routes.get(other) ?? []);
    store.set({ route: here.includes(kind) ? routes.get(kind) : null, byways });
  }

  /** @type {(now: Wanted, kind: PathKind) => Promise<void>} */
  async function ask({ atlas, start, end }, kind) {
    const { signal } = request;
    routes.set(kind, []);
    try {
      const answer = await patiently(
        () => api.interpolate(atlas.card.id, start, end, kind, STEPS, signal),
        { signal, onWait: (seconds) => (problem.textContent = `The server makes room; again in ${seconds} s …`) },
      );
      if (signal.aborted) return;
      problem.textContent = '';
      routes.set(kind, answer.latents);
      ways.show(kind, answer);
      choose(wanted()?.walk.kind ?? kind);
    } catch (error) {
      if (!(error instanceof Refusal) || signal.aborted) return;
      routes.delete(kind);
      problem.textContent = error.message;
      store.set({ playing: false });
    }
  }

  function begin() {
    cancelAnimationFrame(raf);
    if (Number(scrub.value) >= STEPS - 1) scrub.value = '0';
    playedAt = performance.now() - (Number(scrub.value) / (STEPS - 1)) * WHOLE_WAY_MILLISECONDS;
    raf = requestAnimationFrame(step);
  }

  /** @param {number} time */
  function step(time) {
    const { playing, route } = store.get();
    if (!playing || !route) return;
    const done = Math.min(1, Math.max(0, (time - playedAt) / WHOLE_WAY_MILLISECONDS));
    scrub.value = `${Math.round(done * (STEPS - 1))}`;
    store.set({ latent: between(route, done), movedAt: 0, touched: true, playing: done < 1 });
    mark();
    raf = requestAnimationFrame(step);
  }

  function mark() {
    const at = Math.round(Number(scrub.value) / EVERY);
    ways.mark(wanted()?.walk.kind ?? 'linear', at);
    const percent = Math.round((100 * Number(scrub.value)) / (STEPS - 1));
    scrub.setAttribute('aria-valuetext', `${percent} % of the way`);
  }

  /** @param {number} value */
  function scrubTo(value) {
    const { route } = store.get();
    if (!route) return;
    scrub.value = `${value}`;
    store.set({ latent: route[value], movedAt: performance.now(), touched: true, playing: false });
    mark();
  }

  async function save() {
    const now = wanted();
    const type = film.value;
    film.value = '';
    if (!now || !type) return;
    problem.textContent = '';
    film.disabled = true;
    try {
      const { id } = now.atlas.card;
      const file = await api.film(id, now.start, now.end, now.walk.kind, STEPS, type);
      saveFile(file, `${id}-walk.${type.split('/')[1]}`);
    } catch (error) {
      if (error instanceof Refusal) problem.textContent = error.message;
    }
    film.disabled = false;
  }

  const { signal } = listeners;
  scrub.addEventListener('input', () => scrubTo(Number(scrub.value)), { signal });
  const ways = createWays(panel, {
    every: EVERY,
    onFrame(kind, frame) {
      const now = wanted();
      if (!now) return;
      store.set({ walk: { ...now.walk, kind } });
      scrubTo(frame * EVERY);
    },
    signal,
  });
  play.addEventListener('click', () => store.set({ playing: !store.get().playing }), { signal });
  film.addEventListener('change', () => void save(), { signal });

  const ends = [
    mountEnds(panel, store),
    store.watch(['atlas', 'walk', 'panel', 'playing'], load),
    store.watch(['playing', 'route', 'walk'], ({ playing, route }) => {
      play.textContent = playing ? 'Pause' : 'Play';
      play.dataset.state = playing ? 'playing' : 'paused';
      play.disabled = scrub.disabled = film.disabled = !route;
      if (playing && route) begin();
      mark();
    }),
  ];
  return () => {
    cancelAnimationFrame(raf);
    request.abort();
    listeners.abort();
    ends.forEach((end) => end());
  };
}

/**
 * A path from one latent to another on each kind of path: film strips, scrubbing, playing, and saving it as a film.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').End} End
 * @typedef {import('../store.js').Path} Path
 * @typedef {import('../store.js').PathKind} PathKind
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../latent/plane.js').Latent} Latent
 */
import { ApiError } from '../api.js';
import { find, saveFile } from '../lib/dom.js';
import { retry } from '../lib/retry.js';
import { PATH_KINDS, between, latentOf, pathIn } from '../latent/path.js';
import { mount as mountPathEnds } from './path-ends.js';
import { createStrips } from './path-strips.js';

/** Steps asked for; every EVERY-th is a frame of the strip. */
const EVERY = 6;
const FRAMES = 12;
const STEPS = EVERY * (FRAMES - 1) + 1;
const WHOLE_WAY_MILLISECONDS = 7000;

/** @typedef {{atlas: Atlas, path: Path, start: Latent, end: Latent}} ResolvedPath */

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
  const film = find(panel, '#save-path', HTMLSelectElement);
  const listeners = new AbortController();
  let request = new AbortController();
  /** What the found on the map were asked for with. */
  let asked = '';
  /** @type {Map<PathKind, readonly Latent[]>} Those that are asked for and not here yet are empty. */
  const found = new Map();
  let raf = 0;
  let playedAt = 0;
  scrub.max = `${STEPS - 1}`;

  /** @type {() => ResolvedPath | null} */
  function current() {
    const { atlas, model } = store.get();
    if (!atlas || atlas.card.id !== model) return null;
    const path = pathIn(atlas, store.get().path);
    return { atlas, path, start: latentOf(atlas, path.start), end: latentOf(atlas, path.end) };
  }

  function load() {
    const { panel: open, playing } = store.get();
    if (open !== 'path' && open !== 'learn') {
      forget();
      return store.set({ playing: false });
    }
    const now = current();
    if (!now || (open !== 'path' && !playing && !asked)) return;
    const question = JSON.stringify([now.atlas.card.id, now.start, now.end]);
    if (question !== asked) {
      forget();
      asked = question;
    }
    choose(now.path.kind);
    const kinds = open === 'path' ? [now.path.kind, ...PATH_KINDS] : [now.path.kind];
    for (const kind of new Set(kinds)) if (!found.has(kind)) void ask(now, kind);
  }

  function forget() {
    request.abort();
    request = new AbortController();
    asked = problem.textContent = '';
    scrub.value = '0';
    found.clear();
    strips.clear();
    store.set({ pathLatents: null, otherPaths: [] });
  }

  /** @param {PathKind} kind  that is walked */
  function choose(kind) {
    const here = PATH_KINDS.filter((other) => found.get(other)?.length);
    const otherPaths = here.filter((other) => other !== kind).map((other) => found.get(other) ?? []);
    store.set({ pathLatents: here.includes(kind) ? found.get(kind) : null, otherPaths });
  }

  /** @type {(now: ResolvedPath, kind: PathKind) => Promise<void>} */
  async function ask({ atlas, start, end }, kind) {
    const { signal } = request;
    found.set(kind, []);
    try {
      const answer = await retry(
        () => api.interpolate(atlas.card.id, start, end, kind, STEPS, signal),
        { signal, onWait: (seconds) => (problem.textContent = `The server makes room; again in ${seconds} s …`) },
      );
      if (signal.aborted) return;
      problem.textContent = '';
      found.set(kind, answer.latents);
      strips.show(kind, answer);
      choose(current()?.path.kind ?? kind);
    } catch (error) {
      if (!(error instanceof ApiError) || signal.aborted) return;
      found.delete(kind);
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
    const { playing, pathLatents } = store.get();
    if (!playing || !pathLatents) return;
    const done = Math.min(1, Math.max(0, (time - playedAt) / WHOLE_WAY_MILLISECONDS));
    scrub.value = `${Math.round(done * (STEPS - 1))}`;
    store.set({ latent: between(pathLatents, done), movedAt: 0, touched: true, playing: done < 1 });
    mark();
    raf = requestAnimationFrame(step);
  }

  function mark() {
    const at = Math.round(Number(scrub.value) / EVERY);
    strips.mark(current()?.path.kind ?? 'linear', at);
    const percent = Math.round((100 * Number(scrub.value)) / (STEPS - 1));
    scrub.setAttribute('aria-valuetext', `${percent} % of the way`);
  }

  /** @param {number} value */
  function scrubTo(value) {
    const { pathLatents } = store.get();
    if (!pathLatents) return;
    scrub.value = `${value}`;
    store.set({ latent: pathLatents[value], movedAt: performance.now(), touched: true, playing: false });
    mark();
  }

  async function save() {
    const now = current();
    const type = film.value;
    film.value = '';
    if (!now || !type) return;
    problem.textContent = '';
    film.disabled = true;
    try {
      const { id } = now.atlas.card;
      const file = await api.pathFile(id, now.start, now.end, now.path.kind, STEPS, type);
      saveFile(file, `${id}-walk.${type.split('/')[1]}`);
    } catch (error) {
      if (error instanceof ApiError) problem.textContent = error.message;
    }
    film.disabled = false;
  }

  const { signal } = listeners;
  scrub.addEventListener('input', () => scrubTo(Number(scrub.value)), { signal });
  const strips = createStrips(panel, {
    every: EVERY,
    onFrame(kind, frame) {
      const now = current();
      if (!now) return;
      store.set({ path: { ...now.path, kind } });
      scrubTo(frame * EVERY);
    },
    signal,
  });
  play.addEventListener('click', () => store.set({ playing: !store.get().playing }), { signal });
  film.addEventListener('change', () => void save(), { signal });

  const ends = [
    mountPathEnds(panel, store),
    store.watch(['atlas', 'path', 'panel', 'playing'], load),
    store.watch(['playing', 'pathLatents', 'path'], ({ playing, pathLatents }) => {
      play.textContent = playing ? 'Pause' : 'Play';
      play.dataset.state = playing ? 'playing' : 'paused';
      play.disabled = scrub.disabled = film.disabled = !pathLatents;
      if (playing && pathLatents) begin();
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

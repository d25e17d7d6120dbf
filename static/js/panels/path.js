/**
 * Paths between two latents, one of each kind: strips of images, scrubbing, playing, and saving as a file.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').Path} Path
 * @typedef {import('../store.js').PathKind} PathKind
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/atlas.js').Atlas} Atlas
 * @typedef {import('../latent/plane.js').Latent} Latent
 */
import { ApiError } from '../api.js';
import { PATH_KINDS, STEPS, between, latentOf, pathIn } from '../latent/path.js';
import { find, saveFile } from '../lib/dom.js';
import { retry, busyFor } from '../lib/retry.js';
import { whenBack } from '../stream/when-back.js';
import { mount as mountPathEnds } from './path-ends.js';
import { createStrips } from './path-strips.js';

/** Steps per frame of a strip. */
const STEPS_PER_FRAME = 6;
const PLAY_MILLISECONDS = 7000;

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
  const fileType = find(panel, '#save-path', HTMLSelectElement);
  const listeners = new AbortController();
  let request = new AbortController();
  /** The model and the ends of the paths that are shown. */
  let requested = '';
  /** The latents of each kind; empty while they load. @type {Map<PathKind, readonly Latent[]>} */
  const latentsOf = new Map();
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

  function update() {
    const { panel: open, path, playing } = store.get();
    if (open !== 'path' && open !== 'learn') {
      forget();
      return store.set({ playing: false });
    }
    if (open === 'learn' && !path) return forget(); // a lesson without a walk
    const now = current();
    if (!now || (open !== 'path' && !playing && !requested)) return;
    const wanted = JSON.stringify([now.atlas.card.sha256, now.start, now.end]);
    if (wanted !== requested) {
      forget();
      requested = wanted;
    }
    choose(now.path.kind);
    const kinds = open === 'path' ? [now.path.kind, ...PATH_KINDS] : [now.path.kind];
    for (const kind of new Set(kinds)) if (!latentsOf.has(kind)) void load(now, kind);
  }

  function forget() {
    request.abort();
    request = new AbortController();
    requested = problem.textContent = '';
    scrub.value = '0';
    latentsOf.clear();
    strips.clear();
    store.set({ pathLatents: null, otherPaths: [] });
  }

  /** Show one kind as the path and the others as thin lines. @param {PathKind} kind */
  function choose(kind) {
    const loaded = PATH_KINDS.filter((other) => latentsOf.get(other)?.length);
    const otherPaths = loaded.filter((other) => other !== kind).map((other) => latentsOf.get(other) ?? []);
    store.set({ pathLatents: loaded.includes(kind) ? latentsOf.get(kind) : null, otherPaths });
  }

  /** @type {(now: ResolvedPath, kind: PathKind) => Promise<void>} */
  async function load({ atlas, start, end }, kind) {
    const { signal } = request;
    latentsOf.set(kind, []);
    try {
      const answer = await retry(
        () => api.interpolate(atlas.card.id, start, end, kind, STEPS, signal),
        { signal, onWait: (seconds) => (problem.textContent = busyFor(seconds)) },
      );
      if (signal.aborted) return;
      problem.textContent = '';
      latentsOf.set(kind, answer.latents);
      strips.show(kind, answer);
      choose(current()?.path.kind ?? kind);
    } catch (error) {
      if (!(error instanceof ApiError) || signal.aborted) return;
      latentsOf.delete(kind);
      problem.textContent = error.message;
      store.set({ playing: false });
    }
  }

  function begin() {
    cancelAnimationFrame(raf);
    if (Number(scrub.value) >= STEPS - 1) scrub.value = '0';
    playedAt = performance.now() - (Number(scrub.value) / (STEPS - 1)) * PLAY_MILLISECONDS;
    raf = requestAnimationFrame(step);
  }

  /** @param {number} time */
  function step(time) {
    const { playing, pathLatents } = store.get();
    if (!playing || !pathLatents) return;
    const done = Math.min(1, Math.max(0, (time - playedAt) / PLAY_MILLISECONDS));
    scrub.value = `${Math.round(done * (STEPS - 1))}`;
    store.set({ latent: between(pathLatents, done), movedAt: 0, touched: true, playing: done < 1 });
    mark();
    raf = requestAnimationFrame(step);
  }

  function mark() {
    const at = Math.round(Number(scrub.value) / STEPS_PER_FRAME);
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

  function saveChosen() {
    const type = fileType.value;
    fileType.value = '';
    if (type) void save(type, problem, request.signal);
  }

  /**
   * Save the walk as a file, which the server makes.
   *
   * @param {string} type  its media type
   * @param {HTMLElement} told  says why it takes long, or fails
   * @param {AbortSignal} [signal]
   */
  async function save(type, told, signal) {
    const now = current();
    if (!now) return;
    told.textContent = '';
    try {
      const { id } = now.atlas.card;
      const file = await retry(
        () => api.pathFile(id, now.start, now.end, now.path.kind, STEPS, type),
        { signal, onWait: (seconds) => (told.textContent = busyFor(seconds)) },
      );
      told.textContent = '';
      saveFile(file, `${id}-walk.${type.split('/')[1]}`);
    } catch (error) {
      if (error instanceof ApiError && !signal?.aborted) told.textContent = error.message;
    }
  }

  const { signal } = listeners;
  scrub.addEventListener('input', () => scrubTo(Number(scrub.value)), { signal });
  const strips = createStrips(panel, {
    every: STEPS_PER_FRAME,
    onFrame(kind, frame) {
      const now = current();
      if (!now) return;
      store.set({ path: { ...now.path, kind } });
      scrubTo(frame * STEPS_PER_FRAME);
    },
    signal,
  });
  play.addEventListener('click', () => store.set({ playing: !store.get().playing }), { signal });
  fileType.addEventListener('change', saveChosen, { signal });
  const sharing = find(root, '#save', HTMLElement);
  const loopProblem = find(sharing, '[data-part="problem"]', HTMLElement);
  const saveLoop = () => void save('image/gif', loopProblem);
  find(sharing, '#save-loop', HTMLButtonElement).addEventListener('click', saveLoop, { signal });

  const ends = [
    mountPathEnds(panel, store),
    store.watch(['atlas', 'path', 'panel', 'playing'], update),
    whenBack(store, () => {
      problem.textContent = '';
      update();
    }),
    store.watch(['playing', 'pathLatents', 'path'], ({ playing, pathLatents }) => {
      play.textContent = playing ? 'Pause' : 'Play';
      play.disabled = scrub.disabled = fileType.disabled = !pathLatents;
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

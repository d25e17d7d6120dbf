/**
 * A walk from one latent to another: film strip, scrubbing, playing, and the walk as a GIF.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../store.js').End} End
 * @typedef {import('../store.js').Walk} Walk
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../atlas.js').Atlas} Atlas
 * @typedef {import('../plane.js').Latent} Latent
 */
import { Refusal } from '../api.js';
import { dataAddress } from '../digits.js';
import { find, findAll } from '../elements.js';
import { patiently } from '../patience.js';
import { between, latentOf, walkOf } from '../walk.js';
import { mount as mountEnds } from './ends.js';

/** Steps asked for; every EVERY-th is a frame of the strip. */
const EVERY = 6;
const FRAMES = 12;
const STEPS = EVERY * (FRAMES - 1) + 1;
const WHOLE_WAY_MILLISECONDS = 7000;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const panel = find(root, '#panel-path', HTMLElement);
  const problem = find(panel, '#path-problem', HTMLElement);
  const strip = find(panel, '#strip', HTMLElement);
  const frames = findAll(strip, 'img', HTMLImageElement);
  const scrub = find(panel, '#scrub', HTMLInputElement);
  const play = find(panel, '#play', HTMLButtonElement);
  const download = find(panel, '#gif', HTMLButtonElement);
  const listeners = new AbortController();
  let request = new AbortController();
  /** What the route on the map was asked for with. */
  let asked = '';
  let raf = 0;
  let playedAt = 0;
  scrub.max = `${STEPS - 1}`;

  /** @type {() => {atlas: Atlas, walk: Walk, start: Latent, end: Latent} | null} */
  function wanted() {
    const { atlas, model } = store.get();
    if (!atlas || atlas.card.id !== model) return null;
    const walk = walkOf(atlas, store.get().walk);
    return { atlas, walk, start: latentOf(atlas, walk.start), end: latentOf(atlas, walk.end) };
  }

  async function load() {
    const { panel: open, playing } = store.get();
    if (open !== 'path' && open !== 'learn') {
      asked = '';
      return store.set({ route: null, playing: false });
    }
    const now = wanted();
    if (!now || (open !== 'path' && !playing && !asked)) return;
    const { atlas, walk, start, end } = now;
    const question = JSON.stringify([atlas.card.id, start, end, walk.kind]);
    if (question === asked && store.get().route) return;
    asked = question;
    request.abort();
    request = new AbortController();
    problem.textContent = '';
    try {
      const { signal } = request;
      const { latents, images } = await patiently(
        () => api.interpolate(atlas.card.id, start, end, walk.kind, STEPS, signal),
        { signal, onWait: (seconds) => (problem.textContent = `The server makes room; again in ${seconds} s …`) },
      );
      problem.textContent = '';
      frames.forEach((frame, i) => (frame.src = dataAddress(images[i * EVERY])));
      scrub.value = '0';
      store.set({ route: latents });
    } catch (error) {
      if (!(error instanceof Refusal)) return;
      asked = '';
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
    frames.forEach((frame, i) => frame.classList.toggle('here', i === at));
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
    if (!now) return;
    problem.textContent = '';
    download.disabled = true;
    try {
      const gif = await api.animation(now.atlas.card.id, now.start, now.end, now.walk.kind, STEPS);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(gif);
      link.download = `${now.atlas.card.id}-walk.gif`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    } catch (error) {
      if (error instanceof Refusal) problem.textContent = error.message;
    }
    download.disabled = false;
  }

  const { signal } = listeners;
  scrub.addEventListener('input', () => scrubTo(Number(scrub.value)), { signal });
  strip.addEventListener('click', ({ target }) => {
    const at = frames.findIndex((frame) => frame === target);
    if (at >= 0) scrubTo(at * EVERY);
  }, { signal });
  play.addEventListener('click', () => store.set({ playing: !store.get().playing }), { signal });
  download.addEventListener('click', () => void save(), { signal });

  const ends = [
    mountEnds(panel, store),
    store.watch(['atlas', 'walk', 'panel', 'playing'], () => void load()),
    store.watch(['playing', 'route'], ({ playing, route }) => {
      play.textContent = playing ? 'Pause' : 'Play';
      play.dataset.state = playing ? 'playing' : 'paused';
      play.disabled = scrub.disabled = download.disabled = !route;
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

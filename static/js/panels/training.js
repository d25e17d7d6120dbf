/**
 * The map during training: a slider through the moments of the training moves the codes and changes the images. The
 * curve above it is that of the stage at that time, with the quantity that the stage is about, on its own scale.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 * @typedef {import('../latent/training-curve.js').Stage} Stage
 * @typedef {import('../latent/training-moments.js').Moment} Moment
 */
import { ApiError } from '../api.js';
import { valueOf } from '../latent/measures.js';
import { hasPlane } from '../latent/model-groups.js';
import { printed } from '../latent/nats.js';
import { footOf } from '../latent/plane.js';
import { heightOf, lineOf, scaleOf, shareOf, stageAt, stagesOf, valueAt } from '../latent/training-curve.js';
import { epochOf, imageAt, indexOfEpoch, nearestMoment, timeAt } from '../latent/training-moments.js';
import { find, findAll } from '../lib/dom.js';
import { levelsOf } from '../lib/pixels.js';
import { retry, busyFor } from '../lib/retry.js';
import { prefersStillness } from '../lib/theme.js';
import { whenBack } from '../stream/when-back.js';

const [WIDTH, HEIGHT] = [300, 60];
const MOMENT_MILLISECONDS = 900;
/** The slider's steps between two moments. */
const STEPS = 20;

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const panel = find(root, '#panel-training', HTMLElement);
  const line = find(panel, '#curve .followed', SVGPathElement);
  const loss = find(panel, '#curve .loss', SVGPathElement);
  const marker = find(panel, '#curve line', SVGLineElement);
  const stated = find(panel, '#curve .stated', SVGPathElement);
  const chart = find(panel, '.chart', HTMLElement);
  const list = find(panel, '#stages', HTMLElement);
  const slider = find(panel, '#moment', HTMLInputElement);
  const epochText = find(panel, '#epoch', HTMLElement);
  const play = find(panel, '#play-training', HTMLButtonElement);
  const trained = find(panel, '#show-trained', HTMLButtonElement);
  const problem = find(panel, '.problem', HTMLElement);
  const listeners = new AbortController();
  let request = new AbortController();
  let loaded = '';
  let raf = 0;
  let isPlaying = false;
  /** @type {readonly Moment[]} */
  let moments = [];
  /** @type {Stage[]} */
  let stages = [];
  /** The stage whose curve is drawn. @type {Stage | null} */
  let drawn = null;

  async function load() {
    const { atlas, panel: open } = store.get();
    if (open !== 'training' || !atlas || atlas.card.sha256 === loaded) return;
    request.abort();
    request = new AbortController();
    const { signal } = request;
    loaded = atlas.card.sha256;
    moments = [];
    problem.textContent = '';
    try {
      const history = await retry(
        () => api.history(atlas.card.id, atlas.plane.version, signal),
        { signal, onWait: (seconds) => (problem.textContent = busyFor(seconds)) },
      );
      const read = await Promise.all(history.moments.map((moment) => readMoment(moment, atlas.card.image)));
      if (signal.aborted) return;
      problem.textContent = '';
      moments = read;
      stages = stagesOf(history.epochs);
    } catch (error) {
      if (signal.aborted || !(error instanceof ApiError)) return;
      loaded = '';
      problem.textContent = error.message;
    }
    const count = moments.length ? moments[0].feet.length / 2 : 0;
    find(panel, '[data-part="count"]', HTMLElement).textContent = `${count.toLocaleString('en')} test`;
    slider.max = `${STEPS * Math.max(0, moments.length - 1)}`;
    slider.value = slider.max;
    drawn = null;
    list.replaceChildren(...stages.map(({ title, to }) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = title;
      button.dataset.epoch = `${to}`;
      return button;
    }));
    list.hidden = stages.length < 2;
    show();
  }

  /** What the card states of the finished model: the encoder's ELBO of the test images, or its reconstruction. */
  function figureOfCard() {
    const card = store.get().atlas?.card;
    return valueOf(card, 'grey.encoder_elbo') ?? valueOf(card, 'grey.elbo') ?? valueOf(card, 'grey.reconstruction');
  }

  /** @param {Stage} stage */
  function draw(stage) {
    const end = stage === stages[stages.length - 1] ? figureOfCard() : null;
    const scale = scaleOf(stage, end);
    line.setAttribute('d', lineOf(stage.points, scale, WIDTH, HEIGHT));
    loss.setAttribute('d', lineOf(stage.training, scale, WIDTH, HEIGHT));
    const y = end === null ? 0 : HEIGHT * (1 - heightOf(scale, end));
    stated.setAttribute('d', end === null ? '' : `M${WIDTH - 8},${y}H${WIDTH}`);
    for (const [part, text] of Object.entries({
      quantity: `${stage.name}, ${stage.unit}`,
      high: printed(scale.high),
      low: printed(scale.low),
      first: `epoch ${stage.from}`,
      last: `${stage.to}`,
      training: stage.trainingName && `Dashed, of the training images: ${stage.trainingName}.`,
      card: end === null ? '' : `The mark at the right is what the card states, ${printed(end)}: of the test images, after the last step.`,
    })) find(panel, `[data-part="${part}"]`, HTMLElement).textContent = text;
    for (const button of findAll(list, 'button', HTMLButtonElement)) {
      button.ariaPressed = `${button.dataset.epoch === `${stage.to}`}`;
    }
    return scale;
  }

  function show() {
    const at = Number(slider.value) / STEPS;
    slider.disabled = play.disabled = moments.length < 2;
    trained.ariaDisabled = `${!store.get().trainingTime}`;
    chart.hidden = moments.length === 0 || stages.length === 0;
    if (moments.length === 0) {
      epochText.textContent = '';
      return;
    }
    const trainingTime = timeAt(moments, at);
    const epoch = epochOf(trainingTime);
    const last = moments[moments.length - 1].epoch;
    const stage = stages.length ? stageAt(stages, epoch) : null;
    if (stage) {
      if (stage !== drawn) draw(stage);
      drawn = stage;
      marker.setAttribute('transform', `translate(${WIDTH * shareOf(stage, epoch)})`);
    }
    const value = stage && valueAt(stage, epoch);
    const curveText = stage && value !== null ? `, ${stage.name} ${printed(value)}` : '';
    const text = epoch === 0 ? 'Before the first step' : `Epoch ${Math.round(epoch)} of ${last}${curveText}`;
    epochText.textContent = text;
    slider.setAttribute('aria-valuetext', text);
  }

  /** @param {number} at  in moments */
  function go(at) {
    store.set({ trainingTime: timeAt(moments, at) });
    show();
  }

  /** @param {boolean} plays */
  function setPlaying(plays) {
    isPlaying = plays;
    if (!plays) cancelAnimationFrame(raf);
    play.textContent = plays ? 'Pause' : 'Play';
  }

  function showTrained() {
    setPlaying(false);
    if (!store.get().trainingTime) return;
    slider.value = slider.max;
    store.set({ trainingTime: null });
    show();
  }

  function togglePlaying() {
    setPlaying(!isPlaying);
    if (!isPlaying) return;
    if (slider.value === slider.max) slider.value = '0';
    const first = Number(slider.value) / STEPS;
    let startedAt = 0;
    /** @param {number} time */
    const step = (time) => {
      startedAt ||= time;
      const passed = first + (time - startedAt) / MOMENT_MILLISECONDS;
      const at = Math.min(moments.length - 1, prefersStillness() ? Math.floor(passed) : passed);
      slider.value = `${Math.round(STEPS * at)}`;
      go(at);
      if (at < moments.length - 1) raf = requestAnimationFrame(step);
      else setPlaying(false);
    };
    raf = requestAnimationFrame(step);
  }

  function scrub() {
    setPlaying(false);
    go(Number(slider.value) / STEPS);
  }

  const { signal } = listeners;
  slider.addEventListener('input', scrub, { signal });
  list.addEventListener('click', ({ target }) => {
    const epoch = target instanceof HTMLElement ? target.dataset.epoch : undefined;
    if (!epoch || moments.length < 2) return;
    setPlaying(false);
    slider.value = `${Math.round(STEPS * indexOfEpoch(moments, Number(epoch)))}`;
    go(Number(slider.value) / STEPS);
  }, { signal });
  play.addEventListener('click', togglePlaying, { signal });
  trained.addEventListener('click', showTrained, { signal });

  const ends = [
    whenBack(store, () => void load()),
    store.watch(['atlas', 'panel'], ({ atlas, panel: open, shown }) => {
      if (open !== 'training' || atlas?.card.sha256 !== loaded || (shown && !hasPlane(shown))) showTrained();
      void load();
    }),
    store.watch(['trainingTime', 'latent'], ({ trainingTime, latent, atlas }) => {
      if (!trainingTime || !latent || !atlas) return;
      const moment = nearestMoment(trainingTime);
      const pixels = imageAt(moment, footOf(atlas.plane, latent));
      store.set({ frame: { pixels, image: moment.image, startedAt: 0, roundTrip: 0 } });
    }),
  ];
  return () => {
    cancelAnimationFrame(raf);
    request.abort();
    listeners.abort();
    ends.forEach((end) => end());
  };
}

/** @type {(moment: import('../api.js').History['moments'][number], image: Moment['image']) => Promise<Moment>} */
async function readMoment({ epoch, extent: [[u0, v0], [u1, v1]], codes, cells, grid }, image) {
  const bytes = Uint8Array.from(atob(codes), (character) => character.charCodeAt(0));
  const levels = await levelsOf(grid, image.channels);
  return { epoch, extent: { u0, v0, u1, v1 }, feet: new Float32Array(bytes.buffer), cells, levels, image };
}

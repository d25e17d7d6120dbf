/**
 * The visitor's picture as it came, and what the visitor says of it where its preparation guessed wrong: a box, a shape,
 * brightness, light or dark.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Overrides} Overrides
 * @typedef {import('../api.js').PhotoPlace} PhotoPlace
 */
import { find, findAll } from '../lib/dom.js';
import { dataUrl } from '../lib/pixels.js';
import { contains, describeBox, isWhole, middleOf, moved, resized, WHOLE } from './draw-box.js';
import { createBoxDrag } from './draw-box-drag.js';

/** An arrow key moves a box by this share of the picture. */
const KEY_STEP = 0.02;
/** A picture is shown no longer and no thinner than this, and stretched if it is. */
const LONGEST = 3;

/** @type {Readonly<Record<string, readonly [number, number]>>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @type {Overrides} */
const NOTHING_SAID = { box: WHOLE, at: null, polarity: null, brightness: 0 };

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {(said: Overrides) => void} onChange  called once a frame at most
 */
export function mount(root, store, onChange) {
  const sheet = find(root, '.drawing', HTMLElement);
  const photo = find(sheet, '#photo', HTMLElement);
  const frame = find(photo, '#photo-frame', HTMLElement);
  const image = find(frame, 'img', HTMLImageElement);
  const box = find(frame, '#photo-box', HTMLElement);
  const mark = find(frame, '#photo-at', HTMLElement);
  const brightness = find(photo, '#brightness', HTMLInputElement);
  const shown = find(photo, '#brightness-shown', HTMLElement);
  const polarities = findAll(photo, '[name="polarity"]', HTMLInputElement);
  const reset = find(sheet, '#reset-photo', HTMLButtonElement);
  const listeners = new AbortController();
  let said = NOTHING_SAID;
  let frameRequest = 0;
  /** Whether the browser cannot show the file, so that the server's grey picture of it stands in. */
  let isForeign = false;

  function paint() {
    const [left, top, right, bottom] = said.box.map((share) => 100 * share);
    Object.assign(box.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
    box.toggleAttribute('data-whole', isWhole(said.box));
    mark.hidden = !said.at;
    if (said.at) Object.assign(mark.style, { left: `${100 * said.at[0]}%`, top: `${100 * said.at[1]}%` });
    brightness.valueAsNumber = said.brightness;
    shown.textContent = printed(said.brightness);
    brightness.setAttribute('aria-valuetext', printed(said.brightness));
    for (const radio of polarities) radio.checked = radio.value === (said.polarity ?? '');
    reset.ariaDisabled = `${isNothing(said)}`;
  }

  /** @type {(patch: Partial<Overrides>) => void} */
  function say(patch) {
    said = { ...said, ...patch };
    if (said.at && !contains(said.box, said.at)) said = { ...said, ...(patch.at ? { box: WHOLE } : { at: null }) };
    paint();
    frameRequest ||= requestAnimationFrame(() => {
      frameRequest = 0;
      onChange(said);
    });
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [dx, dy] = (ARROWS[event.key] ?? []).map((way) => way * KEY_STEP);
    if (dx !== undefined) {
      say({ box: event.shiftKey ? resized(said.box, 'se', dx, dy) : moved(said.box, dx, dy) });
      store.set({ announcement: describeBox(said.box) });
    } else if (event.key === 'Enter' || event.key === ' ') {
      say({ at: middleOf(said.box) });
      store.set({ announcement: 'The shape in the middle of the box is the one that is meant.' });
    } else return;
    event.preventDefault();
  }

  function display() {
    const ratio = image.naturalWidth / image.naturalHeight;
    frame.style.setProperty('--ratio', `${Math.min(LONGEST, Math.max(1 / LONGEST, ratio))}`);
    photo.hidden = false;
    sheet.toggleAttribute('data-photo', true);
  }

  function hide() {
    cancelAnimationFrame(frameRequest);
    frameRequest = 0;
    URL.revokeObjectURL(image.src);
    image.removeAttribute('src');
    isForeign = false;
    photo.hidden = true;
    sheet.toggleAttribute('data-photo', false);
  }

  const { signal } = listeners;
  image.addEventListener('load', display, { signal });
  image.addEventListener('error', () => {
    isForeign = true;
  }, { signal });
  box.addEventListener('keydown', key, { signal });
  brightness.addEventListener('input', () => say({ brightness: brightness.valueAsNumber }), { signal });
  for (const radio of polarities) {
    radio.addEventListener('change', () => say({ polarity: polarityOf(radio.value) }), { signal });
  }
  reset.addEventListener('click', () => {
    if (!isNothing(said)) say(NOTHING_SAID);
  }, { signal });

  const drag = createBoxDrag(frame, {
    box: () => said.box,
    onBox: (next) => say({ box: next }),
    onTap: (at) => say({ at }),
  });
  const unwatch = store.watch(['posterior'], ({ posterior }) => {
    const read = posterior?.steps.find(({ name }) => name === 'read');
    if (isForeign && photo.hidden && read) image.src = dataUrl(read.image);
  });
  paint();

  return {
    /** Show another picture, of which nothing is said yet. @type {(file: Blob) => void} */
    show(file) {
      hide();
      said = NOTHING_SAID;
      paint();
      image.src = URL.createObjectURL(file);
    },
    hide,
    unmount() {
      hide();
      listeners.abort();
      drag.stop();
      unwatch();
    },
  };
}

/** @type {(value: string) => Overrides['polarity']} */
const polarityOf = (value) => (value === 'light-on-dark' || value === 'dark-on-light' ? value : null);

/** @type {(said: Overrides) => boolean} */
const isNothing = ({ box, at, polarity, brightness }) => isWhole(box) && !at && !polarity && !brightness;

/** @type {(brightness: number) => string} */
const printed = (brightness) => (brightness ? `${brightness > 0 ? '+' : '−'}${Math.abs(brightness).toFixed(1)}` : 'as it is');

/**
 * Shares the view: its link, a titled picture of a link's size, the map and the point as a PNG, and an SVG with frame
 * and legend. The loop of the walk is saved by path.js.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../lib/theme.js').Theme} Theme
 */
import { labelsOf } from '../latent/labels.js';
import { find, saveFile } from '../lib/dom.js';
import { roundLength } from '../lib/round-numbers.js';
import { watchTheme } from '../lib/theme.js';
import { visibleBox } from '../map/camera.js';
import { pictureOf, ringOf, titledPictureOf } from './save-picture.js';
import { mount as mountPrint } from './save-print.js';
import { sheetOf, ticksOf } from './save-sheet.js';

/** The largest distance between coordinates at the edge, CSS pixels. */
const MAX_SPACING = 140;
/** A sheet is to be sent by mail and opened by editors: its picture takes at most this many characters. */
const MAX_PICTURE = 950_000;
/** Of the JPEG, which every editor of SVG reads. */
const QUALITIES = [0.92, 0.85, 0.75, 0.6, 0.45];

/**
 * @param {HTMLElement} root
 * @param {Store} store
 */
export function mount(root, store) {
  const sheet = find(root, '#save', HTMLElement);
  const scale = find(sheet, '#save-scale', HTMLSelectElement);
  const link = find(sheet, '#share-link', HTMLInputElement);
  const problem = find(sheet, '[data-part="problem"]', HTMLElement);
  const copied = find(sheet, '[data-part="copied"]', HTMLElement);
  const listeners = new AbortController();
  /** @type {Theme} */
  let theme;

  /** @type {(canvas: HTMLCanvasElement | null | undefined, name: string) => void} */
  const save = (canvas, name) => canvas?.toBlob((file) => file && saveFile(file, name), 'image/png');
  const savePicture = () => save(pictureOf(store, theme, Number(scale.value)), `${store.get().model}.png`);
  const saveTitled = () => save(titledPictureOf(store, theme), `${store.get().model}-titled.png`);

  /** Put the link to the view on the clipboard, or select it where the browser does not allow that. */
  async function copyLink() {
    link.select();
    try {
      await navigator.clipboard.writeText(link.value);
      copied.textContent = 'Copied';
    } catch {
      copied.textContent = 'Press Ctrl+C to copy it';
    }
  }

  function showLink() {
    link.value = location.href;
    problem.textContent = '';
    copied.textContent = '';
  }

  function saveSheet() {
    const { renderMap, shown, atlas, view } = store.get();
    const picture = renderMap && smallPictureOf(renderMap, Number(scale.value));
    if (!picture || !shown || !atlas || !view) return;
    const { camera, width, height } = view;
    const box = visibleBox({ camera, width, height });
    const step = roundLength(MAX_SPACING / camera.scale);
    const ring = ringOf(store, theme);
    const [labels, count] = [labelsOf(shown.dataset), atlas.codes.count.toLocaleString('en')];
    const text = sheetOf({
      width,
      height,
      picture,
      title: shown.title,
      subtitle: `${atlas.plane.title}; ${labels.length} labels of ${count} test images`,
      columns: ticksOf(box.u0, box.u1, width, step),
      rows: ticksOf(box.v1, box.v0, height, step),
      point: ring && { x: ring.x, y: ring.y, picture: ring.lens.toDataURL('image/png') },
      key: labels.map(({ name }, label) => ({ name, colour: theme.digits[label] })),
      theme,
    });
    saveFile(new Blob([text], { type: 'image/svg+xml' }), `${shown.id}.svg`);
  }

  const { signal } = listeners;
  find(sheet, '#save-png', HTMLButtonElement).addEventListener('click', savePicture, { signal });
  find(sheet, '#save-titled', HTMLButtonElement).addEventListener('click', saveTitled, { signal });
  find(sheet, '#copy-link', HTMLButtonElement).addEventListener('click', copyLink, { signal });
  sheet.addEventListener('toggle', showLink, { signal });
  find(sheet, '#save-svg', HTMLButtonElement).addEventListener('click', saveSheet, { signal });
  const ends = [
    watchTheme((current) => (theme = current)),
    mountPrint(root, store, (density) => pictureOf(store, theme, density), () => theme.isDark),
  ];
  return () => {
    listeners.abort();
    ends.forEach((end) => end());
  };
}

/**
 * Return the map as a JPEG that is small enough, as large as that allows.
 *
 * @param {NonNullable<import('../store.js').State['renderMap']>} renderMap
 * @param {number} largest  pixels per CSS pixel
 * @returns {string}  a data URL; empty: no model with a plane is shown
 */
function smallPictureOf(renderMap, largest) {
  let picture = '';
  for (let density = largest; density >= 1; density--) {
    const canvas = renderMap(density, false);
    for (const quality of QUALITIES) {
      picture = canvas?.toDataURL('image/jpeg', quality) ?? '';
      if (picture.length <= MAX_PICTURE) return picture;
    }
  }
  return picture;
}

/**
 * Below the lesson of the seam: the test images whose codes lie there, their average, and what the decoder draws.
 *
 * @typedef {import('../store.js').Store} Store
 * @typedef {import('../api.js').Api} Api
 */
import { placesOf } from '../latent/measures.js';
import { find } from '../lib/dom.js';
import { contextOf } from '../lib/pixels.js';

/**
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Api} api
 */
export function mount(root, store, api) {
  const figure = find(root, '#seam', HTMLElement);
  const row = find(figure, '.seam-images', HTMLElement);
  const decode = find(figure, '[data-part="decode"]', HTMLImageElement);
  const canvas = find(figure, '[data-part="average"]', HTMLCanvasElement);
  const context = contextOf(canvas);
  let shownOf = '';

  /** @type {(images: readonly HTMLImageElement[]) => Promise<void>} */
  async function paintAverage(images) {
    await Promise.all(images.map((image) => image.decode()));
    if (!images.every((image) => image.isConnected)) return;
    images.forEach((image, i) => {
      context.globalAlpha = 1 / (i + 1); // of the mean of those before, and this one
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
    });
  }

  const unwatch = store.watch(['lesson', 'shown'], ({ lesson, shown }) => {
    const seam = lesson === 'seam' && shown ? placesOf(shown)?.seam : undefined;
    figure.hidden = !seam;
    if (!seam || !shown || shownOf === shown.sha256) return;
    shownOf = shown.sha256;
    const { width, height } = shown.image;
    Object.assign(canvas, { width, height });
    const images = seam.images.map((index) => {
      const image = new Image(width, height);
      image.src = api.testImageUrl(shown.dataset, index);
      image.alt = `Test image ${index}`;
      return image;
    });
    row.replaceChildren(...images);
    decode.src = api.decodedUrl(shown.id, seam.latent);
    void paintAverage(images);
  });
  return () => {
    row.replaceChildren();
    unwatch();
  };
}

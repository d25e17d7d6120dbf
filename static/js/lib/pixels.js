/**
 * Grey levels onto canvases.
 */
import { PIXELS, SIDE } from '../api.js';

/**
 * A painter of one 28 x 28 image, true to the byte; it allocates nothing after it is made. What is light or dark
 * on the page is the stylesheet's affair.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {(pixels: Uint8Array) => void}
 */
export function digitPainter(canvas) {
  canvas.width = canvas.height = SIDE;
  const context = contextOf(canvas);
  const image = context.createImageData(SIDE, SIDE);
  const words = new Uint32Array(image.data.buffer);
  return (pixels) => {
    for (let i = 0; i < PIXELS; i++) words[i] = 0xff000000 | (pixels[i] * 0x010101);
    context.putImageData(image, 0, 0);
  };
}

/**
 * The two-dimensional context, which every browser that runs modules has.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function contextOf(canvas, settings) {
  const context = canvas.getContext('2d', settings);
  if (!context) throw new Error('This browser has no 2-D canvas.');
  return context;
}

/** @param {import('../api.js').Image} image */
export const dataAddress = (image) => `data:image/png;base64,${image.png}`;

/**
 * The grey levels of an image, 0..255, row by row.
 *
 * @param {import('../api.js').Image} image
 * @returns {Promise<Uint8Array>}
 */
export async function levelsOf(image) {
  const { width, height } = image;
  const picture = new Image(width, height);
  picture.src = dataAddress(image);
  await picture.decode();
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = contextOf(canvas, { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return Uint8Array.from({ length: width * height }, (_, i) => data[4 * i]);
}

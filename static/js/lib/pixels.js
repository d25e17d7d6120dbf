/**
 * Grey levels on canvases.
 *
 * @typedef {object} EncodedImage  a grey image in an answer of the server
 * @property {string} png  base64
 * @property {number} width
 * @property {number} height
 */
import { IMAGE_PIXELS, IMAGE_SIDE } from './image-size.js';

/**
 * Return a function that paints 784 grey levels, row by row, byte for byte. It allocates nothing per call. The light
 * theme inverts the canvas in the stylesheet.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {(pixels: Uint8Array) => void}
 */
export function imagePainter(canvas) {
  canvas.width = canvas.height = IMAGE_SIDE;
  const context = contextOf(canvas);
  const image = context.createImageData(IMAGE_SIDE, IMAGE_SIDE);
  const words = new Uint32Array(image.data.buffer);
  return (pixels) => {
    for (let i = 0; i < IMAGE_PIXELS; i++) words[i] = 0xff000000 | (pixels[i] * 0x010101);
    context.putImageData(image, 0, 0);
  };
}

/**
 * Return the 2-D context of a canvas. Every browser that runs modules has one.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function contextOf(canvas, settings) {
  const context = canvas.getContext('2d', settings);
  if (!context) throw new Error('This browser has no 2-D canvas.');
  return context;
}

/** @param {EncodedImage} image */
export const dataUrl = (image) => `data:image/png;base64,${image.png}`;

/**
 * Return the grey levels of an image, 0..255, row by row.
 *
 * @param {EncodedImage} image
 * @returns {Promise<Uint8Array>}
 */
export async function levelsOf(image) {
  const { width, height } = image;
  const picture = new Image(width, height);
  picture.src = dataUrl(image);
  await picture.decode();
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = contextOf(canvas, { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  return Uint8Array.from({ length: width * height }, (_, i) => data[4 * i]);
}

/**
 * Images on canvases: grey levels, or red, green and blue of each pixel.
 *
 * @typedef {import('./image-shape.js').ImageShape} ImageShape
 *
 * @typedef {object} EncodedImage  an image in an answer of the server
 * @property {string} png  base64
 * @property {number} width
 * @property {number} height
 */
import { isColour, isSame } from './image-shape.js';

const OPAQUE = 0xff000000;

/**
 * Return a function that paints the numbers of an image, row by row, byte for byte. It allocates nothing per call
 * unless the shape changes. The light theme inverts grey canvases in the stylesheet.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {(pixels: Uint8Array, shape: ImageShape) => void}
 */
export function imagePainter(canvas) {
  const context = contextOf(canvas);
  /** @type {ImageShape} */
  let painted = { height: 0, width: 0, channels: 1 };
  let image = context.createImageData(1, 1);
  let words = new Uint32Array();
  return (pixels, shape) => {
    if (!isSame(shape, painted)) {
      painted = shape;
      Object.assign(canvas, { width: shape.width, height: shape.height });
      image = context.createImageData(shape.width, shape.height);
      words = new Uint32Array(image.data.buffer);
    }
    fill(words, pixels, shape);
    context.putImageData(image, 0, 0);
  };
}

/**
 * Return a new canvas with the numbers of an image.
 *
 * @param {Uint8Array} pixels
 * @param {ImageShape} shape
 */
export function canvasOf(pixels, shape) {
  const canvas = document.createElement('canvas');
  imagePainter(canvas)(pixels, shape);
  return canvas;
}

/** @type {(words: Uint32Array, pixels: Uint8Array, shape: ImageShape) => void} */
function fill(words, pixels, shape) {
  if (isColour(shape)) {
    for (let i = 0, at = 0; i < words.length; i++, at += 3) {
      words[i] = OPAQUE | (pixels[at + 2] << 16) | (pixels[at + 1] << 8) | pixels[at];
    }
  } else {
    for (let i = 0; i < words.length; i++) words[i] = OPAQUE | (pixels[i] * 0x010101);
  }
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
 * Return the numbers of an image, 0..255, row by row: one of each pixel, or three.
 *
 * @param {EncodedImage} image
 * @param {number} channels
 * @returns {Promise<Uint8Array>}
 */
export async function levelsOf(image, channels) {
  const { width, height } = image;
  const picture = new Image(width, height);
  picture.src = dataUrl(image);
  await picture.decode();
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = contextOf(canvas, { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  return levelsIn(context.getImageData(0, 0, width, height), channels);
}

/**
 * Return the context of a new canvas with the image of a file.
 *
 * @param {Blob} file
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export async function contextWith(file, settings) {
  const bitmap = await createImageBitmap(file);
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
  const context = contextOf(canvas, settings);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context;
}

/**
 * Return the numbers of what was read from a canvas: one of each pixel, or three.
 *
 * @param {ImageData} image
 * @param {number} channels
 */
export function levelsIn({ data, width, height }, channels) {
  const levels = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < channels; c++) levels[channels * i + c] = data[4 * i + c];
  }
  return levels;
}

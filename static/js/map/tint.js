/**
 * Tints grey images: the grey level becomes the opacity of one colour.
 */
import { contextOf } from '../lib/pixels.js';
import { channels } from '../lib/theme.js';

export function createTint() {
  const canvas = document.createElement('canvas');
  const context = contextOf(canvas, { willReadFrequently: true });
  let colour = 0;
  return {
    /** @param {string} name  #rrggbb */
    setColour(name) {
      const [red, green, blue] = channels(name);
      colour = (blue << 16) | (green << 8) | red;
    },

    /** @param {Blob} blob  a square grey image file */
    async fromFile(blob) {
      const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none' });
      const { width: side } = bitmap;
      if (canvas.width !== side) canvas.width = canvas.height = side;
      context.drawImage(bitmap, 0, 0);
      bitmap.close();
      const image = context.getImageData(0, 0, side, side);
      const words = new Uint32Array(image.data.buffer);
      for (let i = 0; i < words.length; i++) words[i] = (words[i] << 24) | colour;
      return createImageBitmap(image);
    },

    /**
     * Return a new canvas with the tinted image.
     *
     * @param {Uint8Array} levels  0..255, of a square image
     */
    fromLevels(levels) {
      const own = document.createElement('canvas');
      own.width = own.height = Math.sqrt(levels.length);
      const image = new ImageData(own.width, own.height);
      const words = new Uint32Array(image.data.buffer);
      for (let i = 0; i < words.length; i++) words[i] = (levels[i] << 24) | colour;
      contextOf(own).putImageData(image, 0, 0);
      return own;
    },
  };
}

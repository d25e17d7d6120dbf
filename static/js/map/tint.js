/**
 * Images for the map. The level of a grey one becomes the opacity of one colour, as of ink on paper; one in colour
 * stays as it is. Blocks of images that are not square get square cells, transparent around each image.
 *
 * @typedef {import('../lib/image-shape.js').ImageShape} ImageShape
 */
import { isColour, longestOf } from '../lib/image-shape.js';
import { canvasOf, contextOf } from '../lib/pixels.js';
import { channels } from '../lib/theme.js';

export function createTint() {
  const canvas = document.createElement('canvas');
  const context = contextOf(canvas, { willReadFrequently: true });
  let colour = 0;

  /** @type {(source: CanvasImageSource, shape: ImageShape, cells: number) => void} */
  function draw(source, shape, cells) {
    const { height, width } = shape;
    const cell = longestOf(shape);
    const side = cells * cell;
    if (canvas.width !== side) canvas.width = canvas.height = side;
    else context.clearRect(0, 0, side, side);
    if (height === width) return context.drawImage(source, 0, 0);
    const [left, top] = [Math.floor((cell - width) / 2), Math.floor((cell - height) / 2)];
    for (let row = 0; row < cells; row++) {
      for (let column = 0; column < cells; column++) {
        const to = /** @type {const} */ ([column * cell + left, row * cell + top, width, height]);
        context.drawImage(source, column * width, row * height, width, height, ...to);
      }
    }
  }

  /** Return what was drawn, tinted if it is grey. @type {(shape: ImageShape) => ImageData} */
  function tinted(shape) {
    const image = context.getImageData(0, 0, canvas.width, canvas.height);
    if (isColour(shape)) return image;
    const words = new Uint32Array(image.data.buffer);
    for (let i = 0; i < words.length; i++) words[i] = (words[i] << 24) | colour;
    return image;
  }

  return {
    /** @param {string} name  #rrggbb */
    setColour(name) {
      const [red, green, blue] = channels(name);
      colour = (blue << 16) | (green << 8) | red;
    },

    /** @type {(blob: Blob, shape: ImageShape, cells: number) => Promise<ImageBitmap>} */
    async fromFile(blob, shape, cells) {
      const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none' });
      draw(bitmap, shape, cells);
      bitmap.close();
      return createImageBitmap(tinted(shape));
    },

    /**
     * Return a new canvas with a block of cells x cells images.
     *
     * @param {Uint8Array} levels  of the whole block, row by row
     * @param {ImageShape} shape  of each image
     * @param {number} cells
     */
    fromLevels(levels, shape, cells) {
      const block = { ...shape, height: cells * shape.height, width: cells * shape.width };
      draw(canvasOf(levels, block), shape, cells);
      const own = document.createElement('canvas');
      own.width = own.height = canvas.width;
      contextOf(own).putImageData(tinted(shape), 0, 0);
      return own;
    },
  };
}

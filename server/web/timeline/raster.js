// @ts-check

/** Steps between two colours, for the smooth edges of what is drawn. */
export const BLEND_STEPS = 16;

/**
 * A picture in memory that is written pixel by pixel and put on a canvas in one piece. Ten thousand clips are little more than runs of equal
 * pixels: writing those is many times cheaper than as many paths, for which a browser works out coverage and blending. What needs
 * curves, text or transparency is drawn by the canvas on top.
 *
 * A colour is a `pixel`: a number that has the bytes of an opaque colour in memory.
 */
export class Raster {
  width = 0;
  height = 0;
  /** Columns that are written; what lies outside of them stays as it was. */
  left = 0;
  right = 0;
  pixels = new Uint32Array(0);
  /** @type {ImageData | null} */
  #image = null;

  /**
   * @param {number} width device pixels
   * @param {number} height
   */
  resize(width, height) {
    this.limit(0, width);
    if (width === this.width && height === this.height) return;
    this.width = width;
    this.height = height;
    this.#image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.#image.data.buffer);
  }

  /**
   * Writes columns `[left, right)` alone from now on.
   *
   * @param {number} left
   * @param {number} right
   */
  limit(left, right) {
    this.left = left;
    this.right = right;
  }

  /**
   * @param {number} x may lie outside, as may all of the box
   * @param {number} y
   * @param {number} width
   * @param {number} height
   * @param {number} pixel
   */
  fill(x, y, width, height, pixel) {
    const from = Math.max(this.left, x);
    const to = Math.min(this.right, x + width);
    const bottom = Math.min(this.height, y + height);
    if (to <= from) return;
    const narrow = to - from < 24;
    for (let row = Math.max(0, y); row < bottom; row++) {
      const start = row * this.width;
      // Short runs are quicker by hand.
      if (narrow) { for (let at = start + from; at < start + to; at++) this.pixels[at] = pixel; }
      else this.pixels.fill(pixel, start + from, start + to);
    }
  }

  /** @param {CanvasRenderingContext2D} context covers all of its canvas */
  put(context) {
    if (this.#image !== null) context.putImageData(this.#image, 0, 0);
  }

  /**
   * Puts the columns that are written, of some rows.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {number} y may lie outside
   * @param {number} height
   */
  putPart(context, y, height) {
    if (this.#image === null) return;
    const top = Math.max(0, y);
    const rows = Math.min(this.height, y + height) - top;
    if (rows <= 0) return;
    context.putImageData(this.#image, 0, 0, this.left, top, this.right - this.left, rows);
  }
}

/** One pixel of a canvas, from which the browser's own reading of a colour is taken. */
const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

/**
 * @param {...string} layers CSS colours from the ground up; the first is opaque
 * @returns {number} the pixel that they make
 */
export function pixelOf(...layers) {
  if (probe === null) throw new Error("Cannot draw: this browser gives no 2D canvas");
  for (const layer of layers) {
    probe.fillStyle = layer;
    probe.fillRect(0, 0, 1, 1);
  }
  return new Uint32Array(probe.getImageData(0, 0, 1, 1).data.buffer)[0];
}

/**
 * @param {number} from pixel
 * @param {number} to pixel
 * @param {number} part 0…1
 */
export function mix(from, to, part) {
  let mixed = 0;
  for (const shift of [0, 8, 16, 24]) {
    const a = (from >>> shift) & 255;
    const b = (to >>> shift) & 255;
    mixed |= Math.round(a + (b - a) * part) << shift;
  }
  return mixed >>> 0;
}

/**
 * @param {number} from pixel
 * @param {number} to pixel
 * @returns {Uint32Array} `BLEND_STEPS + 1` pixels from the one to the other
 */
export function ramp(from, to) {
  return Uint32Array.from(
    { length: BLEND_STEPS + 1 },
    (_, step) => mix(from, to, step / BLEND_STEPS),
  );
}

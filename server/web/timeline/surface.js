// @ts-check

/**
 * A canvas that has exactly the pixels of the screen, whatever their density; drawing is in device pixels.
 */
export class Surface {
  /** CSS pixels. */
  width = 0;
  height = 0;
  /** Device pixels a CSS pixel. */
  density = 1;

  /**
   * @param {HTMLCanvasElement} canvas fills its box through CSS
   * @param {() => void} resized draw again
   */
  constructor(canvas, resized) {
    this.canvas = canvas;
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null) throw new Error("Cannot draw: this browser gives no 2D canvas");
    this.context = context;
    const observer = new ResizeObserver((entries) => {
      const entry = entries[entries.length - 1];
      this.density = devicePixelRatio;
      this.width = entry.contentRect.width;
      this.height = entry.contentRect.height;
      const [exact] = entry.devicePixelContentBoxSize ?? [];
      canvas.width = pixels(this.width * this.density, exact?.inlineSize);
      canvas.height = pixels(this.height * this.density, exact?.blockSize);
      resized();
    });
    try {
      observer.observe(canvas, { box: "device-pixel-content-box" });
    } catch {
      observer.observe(canvas); // Safari does not know that box.
    }
  }
}

/**
 * @param {number} computed
 * @param {number | undefined} exact what the browser says, which rounds as its layout does
 */
function pixels(computed, exact) {
  // An emulated density is not known to the layout: then the two have nothing in common.
  const trusted = exact !== undefined && Math.abs(exact - computed) <= 1;
  return Math.max(1, trusted ? exact : Math.round(computed));
}

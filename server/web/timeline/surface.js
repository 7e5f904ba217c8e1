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
      const exact = entry.devicePixelContentBoxSize?.[0];
      canvas.width = Math.max(1, exact?.inlineSize ?? Math.round(this.width * this.density));
      canvas.height = Math.max(1, exact?.blockSize ?? Math.round(this.height * this.density));
      resized();
    });
    try {
      observer.observe(canvas, { box: "device-pixel-content-box" });
    } catch {
      observer.observe(canvas); // Safari does not know that box.
    }
  }
}

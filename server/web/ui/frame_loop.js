// @ts-check

/**
 * Draws what changed, once a frame of the display, and sleeps while nothing does.
 */
export class FrameLoop {
  /** @type {Set<(nowMs: number) => boolean | void>} */
  #due = new Set();
  #asked = false;

  /** Frames drawn, for measuring. */
  frames = 0;

  /** Whether the screen shows how things stand. */
  get isIdle() {
    return !this.#asked;
  }

  /** @param {(nowMs: number) => boolean | void} draw true: again on the next frame, because something moves */
  request(draw) {
    this.#due.add(draw);
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame((nowMs) => this.#run(nowMs));
  }

  /** @param {number} nowMs on the clock of `performance.now()` */
  #run(nowMs) {
    const due = this.#due;
    this.#due = new Set();
    this.#asked = false;
    this.frames++;
    for (const draw of due) {
      try {
        if (draw(nowMs)) this.request(draw);
      } catch (error) {
        console.error(error);
      }
    }
  }
}

// @ts-check

/** One frame may take up to this many pixels. */
const MAX_PIXELS_PER_FRAME = 48;
/** The widest view in hours; beyond lies nothing. */
const MAX_HOURS = 26;
/** Room kept free after the end, as a part of the width. */
const TAIL = 0.5;

export const TRACK_HEIGHTS = [52, 72, 96, 136, 192];

/**
 * Which part of the timeline is seen: frames across, pixels down. Pure geometry; whoever changes it redraws.
 */
export class View {
  /** Frame at the left edge; has a fraction. */
  scrollFrame = 0;
  framesPerPixel = 480;
  /** Size of the lanes, in CSS pixels. */
  width = 800;
  height = 400;
  scrollTop = 0;
  trackHeight = 96;
  sampleRate = 48_000;
  /** End of the material, which scrolling and zooming out respect. */
  endFrame = 0;
  trackCount = 0;

  /** @param {number} frame */
  xOf(frame) {
    return (frame - this.scrollFrame) / this.framesPerPixel;
  }

  /** @param {number} x */
  frameAt(x) {
    return this.scrollFrame + x * this.framesPerPixel;
  }

  get endVisibleFrame() {
    return this.frameAt(this.width);
  }

  /** @param {number} trackIndex */
  yOf(trackIndex) {
    return trackIndex * this.trackHeight - this.scrollTop;
  }

  /**
   * @param {number} y
   * @returns {number} index of the track there; may lie outside of the tracks
   */
  trackIndexAt(y) {
    return Math.floor((y + this.scrollTop) / this.trackHeight);
  }

  /** @param {number} frames */
  scrollBy(frames) {
    this.scrollFrame += frames;
    this.clamp();
  }

  /**
   * @param {number} x stays where it is
   * @param {number} factor above 1 shows less and larger
   */
  zoomAt(x, factor) {
    const frame = this.frameAt(x);
    this.framesPerPixel = this.#limit(this.framesPerPixel / factor);
    this.scrollFrame = frame - x * this.framesPerPixel;
    this.clamp();
  }

  /**
   * Shows a range with a little room around it.
   *
   * @param {number} startFrame
   * @param {number} endFrame
   */
  show(startFrame, endFrame) {
    const room = Math.min(24, this.width * 0.03);
    const frames = Math.max(1, endFrame - startFrame);
    this.framesPerPixel = this.#limit(frames / Math.max(1, this.width - 2 * room));
    this.scrollFrame = startFrame - room * this.framesPerPixel;
    this.clamp();
  }

  /** Shows everything, from the very beginning. */
  fit() {
    const frames = this.endFrame === 0 ? 60 * this.sampleRate : this.endFrame * 1.04;
    this.framesPerPixel = this.#limit(frames / Math.max(1, this.width));
    this.scrollFrame = 0;
    this.clamp();
  }

  /** Makes few tracks tall, so that they can be seen, and many flat. */
  fitTracks() {
    const room = (0.85 * this.height) / Math.max(1, this.trackCount);
    this.trackHeight = TRACK_HEIGHTS.findLast((height) => height <= room) ?? TRACK_HEIGHTS[0];
  }

  /**
   * @param {number} frame
   * @returns {boolean} whether the view had to move for it
   */
  reveal(frame) {
    const x = this.xOf(frame);
    if (x >= 0 && x < this.width) return false;
    this.scrollFrame = frame - this.width * 0.1 * this.framesPerPixel;
    this.clamp();
    return true;
  }

  clamp() {
    const visible = this.width * this.framesPerPixel;
    const last = Math.max(0, this.endFrame - visible * (1 - TAIL));
    this.scrollFrame = Math.min(Math.max(0, this.scrollFrame), last);
    const deepest = Math.max(0, this.contentHeight - this.height);
    this.scrollTop = Math.min(Math.max(0, this.scrollTop), deepest);
  }

  /** Height of all tracks and the row below them. */
  get contentHeight() {
    return this.trackCount * this.trackHeight + 48;
  }

  /** @param {number} framesPerPixel */
  #limit(framesPerPixel) {
    const widest = Math.min(
      MAX_HOURS * 3600 * this.sampleRate,
      Math.max(this.endFrame * 1.5, 60 * this.sampleRate),
    );
    const most = widest / Math.max(1, this.width);
    return Math.min(Math.max(1 / MAX_PIXELS_PER_FRAME, framesPerPixel), most);
  }
}

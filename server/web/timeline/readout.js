// @ts-check
import { writeTime } from "../model/time_format.js";
import { setText } from "../ui/dom.js";

/** @import { App } from "../app.js" */

/**
 * The figures of a drag, beside the pointer: what the hand does, to the sample where the zoom allows it.
 */
export class Readout {
  /**
   * @param {App} app
   * @param {HTMLElement} element over the lanes
   */
  constructor(app, element) {
    this.app = app;
    this.element = element;
  }

  /**
   * @param {{ x: number, y: number }} at CSS pixels in the lanes; a drag in the ruler is shown just below it
   * @param {string} text
   */
  show({ x, y }, text) {
    const { element, app } = this;
    setText(element, text);
    element.hidden = false;
    const left = Math.min(x + 14, app.view.width - element.offsetWidth - 4);
    const top = Math.min(Math.max(4, y + 16), app.view.height - element.offsetHeight - 4);
    element.style.transform = `translate(${Math.max(4, left)}px, ${top}px)`;
  }

  /**
   * @param {{ x: number, y: number }} at
   * @param {number} frame
   * @param {number} byFrames how far it came
   */
  place(at, frame, byFrames) {
    this.show(at, `${this.#time(frame)}  (${this.#signed(byFrames)})`);
  }

  /**
   * @param {{ x: number, y: number }} at
   * @param {number} startFrame
   * @param {number} endFrame
   */
  range(at, startFrame, endFrame) {
    this.show(
      at,
      `${this.#time(startFrame)} – ${this.#time(endFrame)}  (${this.#time(endFrame - startFrame)})`,
    );
  }

  hide() {
    this.element.hidden = true;
  }

  /** @param {number} frame */
  #time(frame) {
    return writeTime(frame, this.app.session.mirror, this.app.timeFormat);
  }

  /** @param {number} frames */
  #signed(frames) {
    return `${frames < 0 ? "−" : "+"}${this.#time(Math.abs(frames))}`;
  }
}

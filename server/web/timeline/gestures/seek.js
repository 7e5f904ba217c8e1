// @ts-check
import { latest } from "../../model/latest.js";

/** @import { App } from "../../app.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * The playhead follows the pointer.
 *
 * @param {App} app
 * @param {Point} start
 * @returns {Gesture}
 */
export function seekGesture(app, start) {
  const seek = latest((/** @type {number} */ frame) => app.session.seek(frame));
  seek(start.frame);
  return { move: ({ frame }) => seek(frame), end: () => {}, cancel: () => {} };
}

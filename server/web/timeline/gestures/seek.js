// @ts-check
/** @import { App } from "../../app.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * The playhead follows the pointer; while one seek is on its way only the latest place waits.
 *
 * @param {App} app
 * @param {Point} start
 * @returns {Gesture}
 */
export function seekGesture(app, start) {
  let busy = false;
  /** @type {number | null} */
  let waiting = null;
  const seek = async (/** @type {number} */ frame) => {
    waiting = frame;
    if (busy) return;
    busy = true;
    while (waiting !== null) {
      const next = waiting;
      waiting = null;
      await app.session.seek(next);
    }
    busy = false;
  };
  seek(start.frame);
  return { move: ({ frame }) => seek(frame), end: () => {}, cancel: () => {} };
}

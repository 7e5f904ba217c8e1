// @ts-check
import { liveEdit } from "./live.js";
import { snapper } from "./snapping.js";

/** @import { App } from "../../app.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * Draws I/O points between a fixed place and the pointer.
 *
 * @param {App} app
 * @param {number} fixedFrame
 * @returns {Gesture}
 */
export function rangeGesture(app, fixedFrame) {
  const live = liveEdit(app, "Set I/O points");
  const snap = snapper(app, []);
  const fixed = Math.max(0, Math.round(fixedFrame));
  return {
    move({ frame, free }) {
      const to = Math.max(0, Math.round(frame + snap.shift([frame], free)));
      if (to === fixed) return;
      live.update([{ op: "io.set", inFrame: Math.min(fixed, to), outFrame: Math.max(fixed, to) }]);
    },
    end: () => snap.done(),
    cancel() {
      snap.done();
      live.cancel();
    },
    cursor: "ew-resize",
  };
}

/**
 * Moves both bounds of the loop, or one.
 *
 * @param {App} app
 * @param {Point} start
 * @param {"start" | "end" | "both"} part
 * @returns {Gesture}
 */
export function loopGesture(app, start, part) {
  const loop = app.session.transport?.loop ?? { enabled: false, startFrame: 0, endFrame: 0 };
  const snap = snapper(app, []);
  const set = (/** @type {number} */ startFrame, /** @type {number} */ endFrame) => {
    if (startFrame >= 0 && endFrame > startFrame) {
      app.session.setLoop({ enabled: loop.enabled, startFrame, endFrame });
    }
  };
  return {
    move({ frame, free }) {
      const by = Math.round(frame - start.frame);
      const from = loop.startFrame + (part === "end" ? 0 : by);
      const to = loop.endFrame + (part === "start" ? 0 : by);
      const moving = part === "both" ? [from, to] : [part === "start" ? from : to];
      const shift = Math.round(snap.shift(moving, free));
      set(from + (part === "end" ? 0 : shift), to + (part === "start" ? 0 : shift));
    },
    end: () => snap.done(),
    cancel() {
      snap.done();
      set(loop.startFrame, loop.endFrame);
    },
    cursor: part === "both" ? "grabbing" : "ew-resize",
  };
}

// @ts-check
import { latest } from "../../model/latest.js";
import { snapper } from "./snapping.js";

/** @import { App } from "../../app.js" */
/** @import { Loop } from "../../client/types.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * Sets the loop while the hand moves; a loop that would be empty is passed over.
 *
 * @param {App} app
 */
function looper({ session }) {
  const before = session.transport?.loop ?? { enabled: false, startFrame: 0, endFrame: 0 };
  const send = latest((/** @type {Loop} */ loop) => session.setLoop(loop));
  return {
    before,
    set(/** @type {Loop} */ loop) {
      if (loop.startFrame >= 0 && loop.endFrame > loop.startFrame) send(loop);
    },
    restore() {
      send(before);
    },
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
  const { before, set, restore } = looper(app);
  const { enabled } = before;
  const snap = snapper(app, []);
  return {
    move(point) {
      const by = Math.round(point.frame - start.frame);
      const from = before.startFrame + (part === "end" ? 0 : by);
      const to = before.endFrame + (part === "start" ? 0 : by);
      const moving = part === "both" ? [from, to] : [part === "start" ? from : to];
      const shift = Math.round(snap.shift(moving, point.free));
      const startFrame = from + (part === "end" ? 0 : shift);
      const endFrame = to + (part === "start" ? 0 : shift);
      set({ enabled, startFrame, endFrame });
      app.timeline.readout.range(point, startFrame, endFrame);
    },
    end: () => snap.done(),
    cancel() {
      snap.done();
      restore();
    },
    cursor: part === "both" ? "grabbing" : "ew-resize",
  };
}

/**
 * Draws a new loop, which is on at once; a click moves the playhead instead.
 *
 * @param {App} app
 * @param {Point} start
 * @returns {Gesture}
 */
export function drawLoopGesture(app, start) {
  const { set, restore } = looper(app);
  const snap = snapper(app, []);
  const fixed = Math.max(0, Math.round(start.frame + snap.shift([start.frame], start.free)));
  snap.done();
  return {
    move(point) {
      const to = Math.max(0, Math.round(point.frame + snap.shift([point.frame], point.free)));
      const loop = { startFrame: Math.min(fixed, to), endFrame: Math.max(fixed, to) };
      set({ enabled: true, ...loop });
      app.timeline.readout.range(point, loop.startFrame, loop.endFrame);
    },
    end(point, moved) {
      snap.done();
      if (!moved) app.session.seek(point.frame);
    },
    cancel() {
      snap.done();
      restore();
    },
    cursor: "ew-resize",
  };
}

// @ts-check
import { liveEdit } from "./live.js";
import { snapper } from "./snapping.js";

/** @import { App } from "../../app.js" */
/** @import { Gesture } from "./types.js" */

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
    move(point) {
      const to = Math.max(0, Math.round(point.frame + snap.shift([point.frame], point.free)));
      if (to === fixed) return;
      const [inFrame, outFrame] = [Math.min(fixed, to), Math.max(fixed, to)];
      live.update([{ op: "io.set", inFrame, outFrame }]);
      app.timeline.readout.range(point, inFrame, outFrame);
    },
    end: () => snap.done(),
    cancel() {
      snap.done();
      live.cancel();
    },
    cursor: "ew-resize",
  };
}

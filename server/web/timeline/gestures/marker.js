// @ts-check
import { liveEdit } from "./live.js";
import { snapper } from "./snapping.js";

/** @import { App } from "../../app.js" */
/** @import { Marker } from "../../client/types.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * Moves a marker; a click on it brings the playhead there.
 *
 * @param {App} app
 * @param {Point} start
 * @param {Marker} marker
 * @returns {Gesture}
 */
export function markerGesture(app, start, { markerId, frame: from }) {
  const live = liveEdit(app, "Move marker");
  const snap = snapper(app, [], [from]);
  return {
    move(point) {
      const to = Math.max(0, Math.round(from + point.frame - start.frame));
      const frame = Math.max(0, Math.round(to + snap.shift([to], point.free)));
      live.update([{ op: "marker.set", markerId, set: { frame } }]);
      app.timeline.readout.place(point, frame, frame - from);
    },
    end(_point, moved) {
      snap.done();
      if (!moved) app.session.seek(from);
    },
    cancel() {
      snap.done();
      live.cancel();
    },
    cursor: "grabbing",
  };
}

// @ts-check
import { clipEnd, framesOf } from "../../model/edits.js";
import { liveEdit } from "./live.js";
import { snapper } from "./snapping.js";

/** @import { App } from "../../app.js" */
/** @import { ChangedClip } from "../../client/types.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * Moves an edge of a clip; the sound stays in place. The edge does not go beyond the source, where there is only silence.
 *
 * @param {App} app
 * @param {Point} start
 * @param {ChangedClip} grabbed
 * @param {"start" | "end"} side
 * @returns {Gesture}
 */
export function trimGesture(app, start, grabbed, side) {
  const { session } = app;
  const { clipId, startFrame, sourceFrame, rate, assetId } = grabbed;
  const endFrame = clipEnd(grabbed);
  const asset = session.assets.get(assetId);
  const zero = startFrame - sourceFrame / rate;
  const sourceEnd = asset === undefined
    ? Infinity
    : zero + framesOf(asset, session.sampleRate) / rate;
  const edge = side === "start" ? startFrame : endFrame;
  const least = side === "start" ? Math.max(0, Math.ceil(zero)) : startFrame + 1;
  const most = side === "start" ? endFrame - 1 : Math.max(endFrame, Math.floor(sourceEnd));
  const snap = snapper(app, [clipId]);
  const live = liveEdit(app, "Trim clip");
  let last = edge;
  return {
    move(point) {
      let to = edge + Math.round(point.frame - start.frame);
      to = Math.round(to + snap.shift([to], point.free));
      to = Math.min(most, Math.max(Math.min(edge, least), to));
      app.timeline.readout.place(point, to, to - edge);
      if (to === last) return;
      last = to;
      live.update([
        side === "start"
          ? { op: "clip.trim", clipId, startFrame: to }
          : { op: "clip.trim", clipId, endFrame: to },
      ]);
    },
    end: () => snap.done(),
    cancel() {
      snap.done();
      live.cancel();
    },
    cursor: "ew-resize",
  };
}

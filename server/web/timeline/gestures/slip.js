// @ts-check
import { framesOf } from "../../model/edits.js";
import { duration } from "../../model/format.js";
import { liveEdit } from "./live.js";

/** @import { App } from "../../app.js" */
/** @import { ChangedClip } from "../../client/types.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * Moves the sound under a clip that stays where it is, as far as the source reaches.
 *
 * @param {App} app
 * @param {Point} start
 * @param {ChangedClip} grabbed
 * @returns {Gesture}
 */
export function slipGesture(app, start, grabbed) {
  const { clipId, sourceFrame, lengthFrames, rate, assetId } = grabbed;
  const { session } = app;
  const asset = session.assets.get(assetId);
  const most = asset === undefined
    ? Infinity
    : Math.max(sourceFrame, framesOf(asset, session.sampleRate) - lengthFrames * rate);
  const live = liveEdit(app, "Slip clip");
  let last = sourceFrame;
  return {
    move(point) {
      const wanted = sourceFrame - Math.round((point.frame - start.frame) * rate);
      const to = Math.min(most, Math.max(Math.min(0, sourceFrame), wanted));
      app.timeline.readout.show(point, `from ${duration(Math.max(0, to) / session.sampleRate)}`);
      if (to === last) return;
      last = to;
      live.update([{ op: "clip.slip", clipId, sourceFrame: to }]);
    },
    end: () => {},
    cancel: () => live.cancel(),
    cursor: "ew-resize",
  };
}

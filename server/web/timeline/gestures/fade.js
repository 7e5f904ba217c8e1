// @ts-check
import { clipEnd } from "../../model/edits.js";
import { liveEdit } from "./live.js";

/** @import { App } from "../../app.js" */
/** @import { ChangedClip } from "../../client/types.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * Draws a fade in or out longer or shorter; both together never exceed the clip.
 *
 * @param {App} app
 * @param {Point} start
 * @param {ChangedClip} grabbed
 * @param {"fadeIn" | "fadeOut"} side
 * @returns {Gesture}
 */
export function fadeGesture(app, start, grabbed, side) {
  const { clipId, startFrame, lengthFrames, fadeInFrames, fadeOutFrames } = grabbed;
  const endFrame = clipEnd(grabbed);
  const live = liveEdit(app, side === "fadeIn" ? "Fade in" : "Fade out");
  const most = lengthFrames - (side === "fadeIn" ? fadeOutFrames : fadeInFrames);
  // The handle of no fade stands a little inside the clip: what counts is how far it went.
  const from = side === "fadeIn" ? startFrame + fadeInFrames : endFrame - fadeOutFrames;
  let last = side === "fadeIn" ? fadeInFrames : fadeOutFrames;
  return {
    move(point) {
      const at = from + point.frame - start.frame;
      const wanted = side === "fadeIn" ? at - startFrame : endFrame - at;
      const frames = Math.round(Math.min(Math.max(0, most), Math.max(0, wanted)));
      app.timeline.readout.show(point, `${(frames / app.session.sampleRate).toFixed(3)} s`);
      if (frames === last) return;
      last = frames;
      const set = side === "fadeIn" ? { fadeInFrames: frames } : { fadeOutFrames: frames };
      live.update([{ op: "clip.set", clipId, set }]);
    },
    end: () => {},
    cancel: () => live.cancel(),
    cursor: "ew-resize",
  };
}

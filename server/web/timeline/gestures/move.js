// @ts-check
import { extent } from "../../model/edits.js";
import { liveEdit } from "./live.js";
import { snapper } from "./snapping.js";

/** @import { App } from "../../app.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * Moves the selected clips together, over tracks too.
 *
 * @param {App} app
 * @param {Point} start
 * @param {() => void} clicked what a click without movement means
 * @returns {Gesture}
 */
export function moveGesture(app, start, clicked) {
  const { view, session, selection } = app;
  const trackIds = session.mirror.tracks.map(({ header }) => header.trackId);
  const clips = selection.clips(session.mirror).map((clip) => ({
    clipId: clip.clipId,
    startFrame: clip.startFrame,
    lengthFrames: clip.lengthFrames,
    trackIndex: trackIds.indexOf(clip.trackId),
  }));
  const range = extent(selection.clips(session.mirror)) ?? { startFrame: 0, endFrame: 0 };
  const highest = Math.min(...clips.map(({ trackIndex }) => trackIndex));
  const lowest = Math.max(...clips.map(({ trackIndex }) => trackIndex));
  const startIndex = view.trackIndexAt(start.y);
  const snap = snapper(app, clips.map(({ clipId }) => clipId));
  const live = liveEdit(app, clips.length === 1 ? "Move clip" : "Move clips");
  let last = "";
  return {
    move({ frame, y, free }) {
      let by = Math.max(-range.startFrame, Math.round(frame - start.frame));
      by += snap.shift([range.startFrame + by, range.endFrame + by], free);
      by = Math.max(-range.startFrame, Math.round(by));
      const down = Math.min(
        trackIds.length - 1 - lowest,
        Math.max(-highest, view.trackIndexAt(y) - startIndex),
      );
      if (last === `${by}/${down}`) return;
      last = `${by}/${down}`;
      live.update(clips.map(({ clipId, startFrame, trackIndex }) => ({
        op: "clip.move",
        clipId,
        startFrame: startFrame + by,
        trackId: trackIds[trackIndex + down],
      })));
    },
    end(_point, moved) {
      snap.done();
      if (!moved) clicked();
    },
    cancel() {
      snap.done();
      live.cancel();
    },
    cursor: "grabbing",
  };
}

// @ts-check
import { extent, paste } from "../../model/edits.js";
import { liveEdit } from "./live.js";
import { snapper } from "./snapping.js";

/** @import { App } from "../../app.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * Moves the selected clips together, over tracks too; or copies of them, while they stay.
 *
 * @param {App} app
 * @param {Point} start
 * @param {object} options
 * @param {boolean} options.copies
 * @param {() => void} options.clicked what a click without movement means
 * @returns {Gesture}
 */
export function moveGesture(app, start, { copies, clicked }) {
  const { view, session, selection } = app;
  const trackIds = session.mirror.tracks.map(({ header }) => header.trackId);
  const chosen = selection.clips(session.mirror);
  const range = extent(chosen) ?? { startFrame: 0, endFrame: 0 };
  const copied = copies ? paste(session.mirror, chosen, range.startFrame) : null;
  const clips = chosen.map(({ clipId, startFrame, trackId }, index) => ({
    clipId: copied?.clipIds[index] ?? clipId,
    startFrame,
    trackIndex: trackIds.indexOf(trackId),
  }));
  const highest = Math.min(...clips.map(({ trackIndex }) => trackIndex));
  const lowest = Math.max(...clips.map(({ trackIndex }) => trackIndex));
  const startIndex = view.trackIndexAt(start.y);
  const snap = snapper(app, clips.map(({ clipId }) => clipId));
  const verb = copies ? "Copy" : "Move";
  const live = liveEdit(app, `${verb} ${clips.length === 1 ? "clip" : "clips"}`);
  let last = "";
  return {
    move(point) {
      let by = Math.max(-range.startFrame, Math.round(point.frame - start.frame));
      by += snap.shift([range.startFrame + by, range.endFrame + by], point.free);
      by = Math.max(-range.startFrame, Math.round(by));
      const down = Math.min(
        trackIds.length - 1 - lowest,
        Math.max(-highest, view.trackIndexAt(point.y) - startIndex),
      );
      app.timeline.readout.place(point, range.startFrame + by, by);
      if (last === `${by}/${down}`) return;
      if (last === "" && copied !== null) {
        live.first(copied.edits);
        selection.expect(copied.clipIds);
      }
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
      if (copies) selection.set(chosen.map(({ clipId }) => clipId));
    },
    cursor: copies ? "copy" : "grabbing",
  };
}

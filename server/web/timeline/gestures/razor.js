// @ts-check
import { clipsAcross } from "../../model/edits.js";
import { segmentOf } from "../../model/groups.js";
import { splitClips } from "../../model/segments.js";
import { snapPoints, snapShift } from "../../model/snap.js";

/** @import { App } from "../../app.js" */
/** @import { ChangedClip } from "../../client/types.js" */
/** @import { Gesture, Point } from "./types.js" */

const REACH_PX = 8;

/**
 * Where the razor would cut: under the pointer, or on the playhead or a cut nearby.
 *
 * @param {App} app
 * @param {Point} point
 * @returns {number}
 */
export function razorFrame({ view, session, snapping }, { frame, free }) {
  const reach = REACH_PX * view.framesPerPixel;
  const around = { startFrame: frame - reach, endFrame: frame + reach };
  const points = snapPoints(session.mirror, {
    ...around,
    without: new Set(),
    also: [session.frame],
  });
  const shift = free || !snapping ? null : snapShift(points, [frame], reach);
  return Math.max(0, Math.round(frame + (shift?.byFrames ?? 0)));
}

/**
 * Splits the clip under the pointer with what is grouped with it, with Alt it alone; with Shift whatever lies there on all tracks.
 *
 * @param {App} app
 * @param {ChangedClip | null} clip
 * @returns {Gesture}
 */
export function razorGesture(app, clip) {
  const { session, scope, timeline } = app;
  const show = (/** @type {Point} */ point) => timeline.showSnap(razorFrame(app, point));
  return {
    move: show,
    end(point) {
      timeline.showSnap(null);
      const at = razorFrame(app, point);
      const segment = clip === null || point.free
        ? [clip ?? []].flat()
        : segmentOf(session.mirror, clip).flatMap((clipId) => session.mirror.clip(clipId) ?? []);
      const clips = point.shift
        ? clipsAcross(session.mirror, at).filter(({ trackId }) => scope.reaches(trackId))
        : segment;
      session.edit(splitClips(clips, at), { label: "Split" });
    },
    cancel: () => timeline.showSnap(null),
    cursor: "crosshair",
  };
}

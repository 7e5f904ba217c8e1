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
function razorFrame({ view, session, snapping }, { frame, free }) {
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
 * What the razor would split: the clip under the pointer with what is grouped with it, with Alt it alone; with Shift whatever lies there.
 *
 * @param {App} app
 * @param {Point} point
 * @param {ChangedClip | null} clip under the pointer
 * @param {number} atFrame
 * @returns {ChangedClip[]}
 */
function targets({ session: { mirror }, scope }, point, clip, atFrame) {
  if (point.shift) {
    return clipsAcross(mirror, atFrame).filter(({ trackId }) => scope.reaches(trackId));
  }
  if (clip === null) return [];
  const ids = point.free ? [clip.clipId] : segmentOf(mirror, clip);
  return ids.flatMap((clipId) => mirror.clip(clipId) ?? [])
    .filter(({ startFrame, lengthFrames }) =>
      startFrame < atFrame && startFrame + lengthFrames > atFrame
    );
}

/**
 * Shows where the razor would cut, over the tracks that it would cut.
 *
 * @param {App} app
 * @param {Point} point
 * @param {ChangedClip | null} clip under the pointer
 */
export function showRazor(app, point, clip) {
  const at = razorFrame(app, point);
  const trackIds = new Set(targets(app, point, clip, at).map(({ trackId }) => trackId));
  const rows = app.session.mirror.tracks.flatMap(({ header }, index) =>
    trackIds.has(header.trackId) ? [index] : []
  );
  app.timeline.showSnap(rows.length > 0 ? at : null, rows);
}

/**
 * Splits where the hand lets go.
 *
 * @param {App} app
 * @param {ChangedClip | null} clip under the pointer
 * @returns {Gesture}
 */
export function razorGesture(app, clip) {
  const { session, timeline } = app;
  return {
    move: (point) => showRazor(app, point, clip),
    end(point) {
      timeline.showSnap(null);
      const at = razorFrame(app, point);
      session.edit(splitClips(targets(app, point, clip, at), at), { label: "Split" });
    },
    cancel: () => timeline.showSnap(null),
    cursor: "crosshair",
  };
}

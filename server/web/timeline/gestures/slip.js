// @ts-check
import { framesOf } from "../../model/edits.js";
import { duration } from "../../model/format.js";
import { liveEdit } from "./live.js";

/** @import { App } from "../../app.js" */
/** @import { ChangedClip } from "../../client/types.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * Moves the sound under a clip that stays where it is, as far as the source reaches; under what is grouped and selected with it too, so that
 * they stay in step.
 *
 * @param {App} app
 * @param {Point} start
 * @param {ChangedClip} grabbed
 * @returns {Gesture}
 */
export function slipGesture(app, start, grabbed) {
  const { session, selection } = app;
  const others = grabbed.groupId === undefined ? [] : selection.clips(session.mirror)
    .filter(({ clipId, groupId }) => clipId !== grabbed.clipId && groupId === grabbed.groupId);
  const clips = [grabbed, ...others.map((clip) => ({ ...clip }))];
  const reaches = clips.map((clip) => reachOf(app, clip));
  const least = Math.max(...reaches.map(({ least }) => least));
  const most = Math.min(...reaches.map(({ most }) => most));
  const live = liveEdit(app, clips.length === 1 ? "Slip clip" : "Slip clips");
  let last = 0;
  return {
    move(point) {
      const by = Math.min(most, Math.max(least, Math.round(point.frame - start.frame)));
      const to = sourceAt(grabbed, by);
      app.timeline.readout.show(point, `from ${duration(Math.max(0, to) / session.sampleRate)}`);
      if (by === last) return;
      last = by;
      live.update(clips.map((clip) => ({
        op: "clip.slip",
        clipId: clip.clipId,
        sourceFrame: sourceAt(clip, by),
      })));
    },
    end: () => {},
    cancel: () => live.cancel(),
    cursor: "ew-resize",
  };
}

/**
 * Drawn to the right, the sound goes back in the source; under a clip that plays backwards, on.
 *
 * @param {ChangedClip} clip
 * @param {number} byFrames
 */
function sourceAt({ sourceFrame, rate, reverse }, byFrames) {
  return Math.max(Math.min(0, sourceFrame), sourceFrame - (reverse ? -1 : 1) * byFrames * rate);
}

/**
 * @param {App} app
 * @param {ChangedClip} clip
 * @returns {{ least: number, most: number }} frames that it can be drawn by
 */
function reachOf({ session }, clip) {
  const { sourceFrame, lengthFrames, rate, reverse } = clip;
  const asset = session.assets.get(clip.assetId);
  const before = Math.max(0, sourceFrame) / rate;
  const after = asset === undefined
    ? Infinity
    : Math.max(0, framesOf(asset, session.sampleRate) - lengthFrames * rate - sourceFrame) / rate;
  return reverse
    ? { least: -Math.floor(before), most: Math.floor(after) }
    : { least: -Math.floor(after), most: Math.floor(before) };
}

// @ts-check
import { clipEnd, framesOf } from "../../model/edits.js";
import { moveFollowers } from "../../model/segments.js";
import { percent, sourceOnTimeline, stretch, stretchLimits } from "../../model/speed.js";
import { liveEdit } from "./live.js";
import { snapper } from "./snapping.js";

/** @import { App } from "../../app.js" */
/** @import { ChangedClip, Edit } from "../../client/types.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * What an edge belongs to: the clip that was grabbed, and those of its group that are selected with it and have the same edge.
 *
 * @param {App} app
 * @param {ChangedClip} grabbed
 * @param {"start" | "end"} side
 * @returns {ChangedClip[]} as they are now
 */
function membersOf({ session, selection }, grabbed, side) {
  const edgeOf = (/** @type {ChangedClip} */ clip) =>
    side === "start" ? clip.startFrame : clipEnd(clip);
  const others = grabbed.groupId === undefined ? [] : selection.clips(session.mirror)
    .filter((clip) =>
      clip.clipId !== grabbed.clipId && clip.groupId === grabbed.groupId &&
      edgeOf(clip) === edgeOf(grabbed)
    );
  return [grabbed, ...others.map((clip) => ({ ...clip }))];
}

/**
 * How far an edge may go, so that it does not leave the source, where there is only silence; where it has left it already, no further.
 *
 * @param {App} app
 * @param {ChangedClip[]} clips
 * @param {"start" | "end"} side
 * @param {number} [earliest] frame before which no start may go
 */
function reachOf({ session }, clips, side, earliest = 0) {
  let least = -Infinity;
  let most = Infinity;
  for (const clip of clips) {
    const asset = session.assets.get(clip.assetId);
    const length = asset === undefined ? Infinity : framesOf(asset, session.sampleRate);
    const { from, to } = sourceOnTimeline(clip, length);
    const [startFrame, endFrame] = [clip.startFrame, clipEnd(clip)];
    least = Math.max(
      least,
      side === "start" ? Math.min(startFrame, Math.max(earliest, Math.ceil(from))) : startFrame + 1,
    );
    most = Math.min(
      most,
      side === "start" ? endFrame - 1 : Math.max(endFrame, Math.floor(to)),
    );
  }
  return { least, most };
}

/**
 * Moves an edge of a clip, and those of its group that stand there too; the sound stays in place. The edge does not go beyond the source.
 *
 * @param {App} app
 * @param {Point} start
 * @param {ChangedClip} grabbed
 * @param {"start" | "end"} side
 * @returns {Gesture}
 */
export function trimGesture(app, start, grabbed, side) {
  const clips = membersOf(app, grabbed, side);
  const { least, most } = reachOf(app, clips, side);
  const edge = side === "start" ? grabbed.startFrame : clipEnd(grabbed);
  const snap = snapper(app, clips.map(({ clipId }) => clipId));
  const live = liveEdit(app, clips.length === 1 ? "Trim clip" : "Trim clips");
  let last = edge;
  return {
    move(point) {
      let to = edge + Math.round(point.frame - start.frame);
      to = Math.round(to + snap.shift([to], point.free));
      to = Math.min(most, Math.max(least, to));
      app.timeline.readout.place(point, to, to - edge);
      if (to === last) return;
      last = to;
      live.update(clips.map(({ clipId }) => trimTo(clipId, side, to)));
    },
    end: () => snap.done(),
    cancel() {
      snap.done();
      live.cancel();
    },
    cursor: "ew-resize",
  };
}

/**
 * @param {string} clipId
 * @param {"start" | "end"} side
 * @param {number} frame
 * @returns {Edit}
 */
function trimTo(clipId, side, frame) {
  return side === "start"
    ? { op: "clip.trim", clipId, startFrame: frame }
    : { op: "clip.trim", clipId, endFrame: frame };
}

/**
 * Trims with ripple: what follows on the clip's tracks keeps its distance to the end. At the start the clip stays where it begins, and begins
 * later or earlier in its source.
 *
 * @param {App} app
 * @param {Point} start
 * @param {ChangedClip} grabbed
 * @param {"start" | "end"} side
 * @returns {Gesture}
 */
export function rippleTrimGesture(app, start, grabbed, side) {
  const { mirror } = app.session;
  const clips = membersOf(app, grabbed, side);
  const { least, most } = reachOf(app, clips, side, -Infinity);
  const trackIds = [...new Set(clips.map(({ trackId }) => trackId))];
  const without = new Set(clips.map(({ clipId }) => clipId));
  const edge = side === "start" ? grabbed.startFrame : clipEnd(grabbed);
  const sinceFrame = Math.min(...clips.map(({ startFrame }) => startFrame));
  const snap = snapper(app, without);
  const live = liveEdit(app, "Ripple trim");
  const length = grabbed.lengthFrames;
  let last = 0;
  /**
   * From what stands now: the length that was drawn, less the length that there is.
   *
   * @param {number} wanted
   * @returns {Edit[]}
   */
  const editsTo = (wanted) => {
    const now = mirror.clip(grabbed.clipId);
    if (now === undefined) return [];
    const by = wanted - now.lengthFrames;
    const at = side === "start" ? now.startFrame : clipEnd(now);
    if (by === 0) return [];
    const moves = (/** @type {number} */ edge) =>
      moveFollowers(mirror, { trackIds, edge, byFrames: by, sinceFrame, without });
    if (side === "end") {
      const trims = clips.map(({ clipId }) => trimTo(clipId, "end", at + by));
      const moved = moves(at);
      if (moved === null) return tooMany(app);
      return by > 0 ? [...moved, ...trims] : [...trims, ...moved];
    }
    // The end moves, and with it what follows; the start stays where it is.
    const ends = clips.map((clip) => clipEnd(mirror.clip(clip.clipId) ?? clip));
    const moved = moves(Math.max(...ends));
    if (moved === null) return tooMany(app);
    const moveTo = (/** @type {number} */ startFrame) =>
      clips.map(({ clipId }) => ({ op: /** @type {const} */ ("clip.move"), clipId, startFrame }));
    const trim = (/** @type {number} */ frame) =>
      clips.map(({ clipId }) => trimTo(clipId, "start", frame));
    return by > 0
      ? [...moved, ...moveTo(at + by), ...trim(at)]
      : [...trim(at - by), ...moveTo(at), ...moved];
  };
  return {
    move(point) {
      let to = edge + Math.round(point.frame - start.frame);
      to = Math.round(to + snap.shift([to], point.free));
      to = Math.min(most, Math.max(least, to));
      const by = side === "end" ? to - edge : edge - to;
      app.timeline.readout.place(point, to, by);
      if (by === last) return;
      last = by;
      live.update(() => editsTo(length + by));
    },
    end: () => snap.done(),
    cancel() {
      snap.done();
      live.cancel();
    },
    cursor: side === "end" ? "e-resize" : "w-resize",
  };
}

/**
 * @param {App} app
 * @returns {Edit[]} none
 */
function tooMany(app) {
  app.notices.add({
    kind: "ripple.tooMany",
    tone: "warning",
    message: "More clips follow than can be moved at once through a crossfade.",
    advice: "Trim without ripple, or take the crossfade away first.",
  });
  return [];
}

/**
 * Draws an edge, and the same of the source plays faster or slower in what room there is then. What is grouped and selected goes along.
 *
 * @param {App} app
 * @param {Point} start
 * @param {ChangedClip} grabbed
 * @param {"start" | "end"} side
 * @returns {Gesture}
 */
export function stretchGesture(app, start, grabbed, side) {
  const { session, selection } = app;
  const clips = grabbed.groupId === undefined
    ? [grabbed]
    : selection.clips(session.mirror).filter(({ groupId }) => groupId === grabbed.groupId)
      .map((clip) => ({ ...clip }));
  const anchor = side === "end"
    ? Math.min(...clips.map(({ startFrame }) => startFrame))
    : Math.max(...clips.map(clipEnd));
  const edge = side === "start" ? grabbed.startFrame : clipEnd(grabbed);
  const { least, most } = stretchLimits(clips);
  const earliest = Math.min(...clips.map(({ startFrame }) => startFrame));
  // Nothing goes before the beginning.
  const widest = side === "start" ? Math.min(most, anchor / Math.max(1, anchor - earliest)) : most;
  const snap = snapper(app, clips.map(({ clipId }) => clipId));
  const live = liveEdit(app, "Change speed");
  let last = edge;
  return {
    move(point) {
      let to = edge + Math.round(point.frame - start.frame);
      to = Math.round(to + snap.shift([to], point.free));
      const factor = Math.min(widest, Math.max(least, (to - anchor) / (edge - anchor)));
      to = Math.round(anchor + (edge - anchor) * factor);
      app.timeline.readout.show(point, `${percent(grabbed.rate / factor)}`);
      if (to === last) return;
      last = to;
      live.update(stretch(clips, anchor, (to - anchor) / (edge - anchor)));
    },
    end: () => snap.done(),
    cancel() {
      snap.done();
      live.cancel();
    },
    cursor: "col-resize",
  };
}

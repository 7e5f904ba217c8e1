// @ts-check
/**
 * What the commands of the page mean as edits. Values to values: no clock, no request.
 *
 * @module
 */
import { stem } from "./format.js";
import { newId } from "./ids.js";

/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { Asset, ChangedClip, ClipInput, Edit } from "../client/types.js" */

/** @typedef {{ startFrame: number, endFrame: number }} Range */

/** @param {ChangedClip} clip */
export function clipEnd(clip) {
  return clip.startFrame + clip.lengthFrames;
}

/**
 * @param {Iterable<ChangedClip>} clips
 * @returns {Range | null} from the first start to the last end
 */
export function extent(clips) {
  let startFrame = Infinity;
  let endFrame = -Infinity;
  for (const clip of clips) {
    startFrame = Math.min(startFrame, clip.startFrame);
    endFrame = Math.max(endFrame, clipEnd(clip));
  }
  return endFrame > startFrame ? { startFrame, endFrame } : null;
}

/**
 * @param {Iterable<ChangedClip>} clips
 * @returns {Range[]} where any of them sounds, without overlaps, in order
 */
export function unionOf(clips) {
  const ordered = [...clips].sort((a, b) => a.startFrame - b.startFrame);
  /** @type {Range[]} */
  const ranges = [];
  for (const clip of ordered) {
    const last = ranges.at(-1);
    if (last !== undefined && clip.startFrame <= last.endFrame) {
      last.endFrame = Math.max(last.endFrame, clipEnd(clip));
    } else {
      ranges.push({ startFrame: clip.startFrame, endFrame: clipEnd(clip) });
    }
  }
  return ranges;
}

/**
 * @param {TimelineMirror} mirror
 * @param {number} frame
 * @returns {ChangedClip[]} clips with sound on both sides of it
 */
export function clipsAcross(mirror, frame) {
  return mirror.tracks.flatMap(({ clips }) =>
    [...clips.range(frame, frame + 1)].filter((clip) => clip.startFrame < frame)
  );
}

/**
 * Splits the selected clips under the playhead, or where none of them lies there, all clips that do.
 *
 * @param {TimelineMirror} mirror
 * @param {(clipId: string) => boolean} isSelected
 * @param {number} atFrame
 * @param {(trackId: string) => boolean} [reaches] on which tracks clips are split that are not selected
 * @returns {{ edits: Edit[], rightIds: Map<string, string> }} `rightIds`: what was split → its right part
 */
export function splitAt(mirror, isSelected, atFrame, reaches = () => true) {
  const under = clipsAcross(mirror, atFrame);
  const chosen = under.filter(({ clipId }) => isSelected(clipId));
  const all = under.filter(({ trackId }) => reaches(trackId));
  const rightIds = new Map(
    (chosen.length > 0 ? chosen : all).map(({ clipId }) => [clipId, newId("clip")]),
  );
  /** @type {Edit[]} */
  const edits = [...rightIds].map(([clipId, newClipId]) => ({
    op: "clip.split",
    clipId,
    atFrame,
    newClipId,
  }));
  return { edits, rightIds };
}

/**
 * Moves an edge of the selected clips under the playhead to it, or where none of them lies there, of all clips that do.
 *
 * @param {TimelineMirror} mirror
 * @param {(clipId: string) => boolean} isSelected
 * @param {number} atFrame
 * @param {"start" | "end"} side
 * @returns {Edit[]}
 */
export function trimTo(mirror, isSelected, atFrame, side) {
  const under = clipsAcross(mirror, atFrame);
  const chosen = under.filter(({ clipId }) => isSelected(clipId));
  return (chosen.length > 0 ? chosen : under).map(({ clipId }) => ({
    op: "clip.trim",
    clipId,
    ...(side === "start" ? { startFrame: atFrame } : { endFrame: atFrame }),
  }));
}

/**
 * Deletes clips and closes the gaps on all tracks, so that everything stays in sync, or on some.
 *
 * @param {ChangedClip[]} clips
 * @param {string[]} [trackIds]
 * @returns {Edit[]}
 */
export function rippleDelete(clips, trackIds) {
  // One that was taken out of its group for this goes by itself.
  if (clips.length === 1 && clips[0].groupId === undefined && trackIds === undefined) {
    return [{ op: "segment.delete", clipId: clips[0].clipId, ripple: "all" }];
  }
  // From the last to the first, so that no edit moves what a later one names.
  return unionOf(clips).reverse().map((range) => deleteRange(range, true, trackIds));
}

/**
 * @param {Range} range
 * @param {boolean} ripple
 * @param {string[] | undefined} trackIds all by default
 * @returns {Edit}
 */
export function deleteRange({ startFrame, endFrame }, ripple, trackIds) {
  const on = trackIds === undefined ? {} : { trackIds };
  return { op: "range.delete", startFrame, endFrame, ripple, ...on };
}

/**
 * @param {number} atFrame
 * @param {number} lengthFrames
 * @param {string[] | undefined} trackIds all by default
 * @returns {Edit}
 */
export function insertSilence(atFrame, lengthFrames, trackIds) {
  const on = trackIds === undefined ? {} : { trackIds };
  return { op: "range.insert", atFrame, lengthFrames, ...on };
}

/**
 * @param {ChangedClip[]} clips
 * @returns {Edit[]}
 */
export function liftDelete(clips) {
  return clips.map(({ clipId }) => ({ op: "clip.remove", clipId }));
}

/**
 * An asset's length on a timeline.
 *
 * @param {Asset} asset
 * @param {number} sampleRate the project's
 */
export function framesOf(asset, sampleRate) {
  return Math.ceil((asset.lengthSamples * sampleRate) / asset.sampleRate - 1e-9);
}

/**
 * Lays assets one after another, on the first track that has room for each (the preferred one before the others), else on a new one.
 *
 * @param {TimelineMirror} mirror
 * @param {Asset[]} assets
 * @param {number} startFrame
 * @param {string | "new" | null} preferredTrackId `"new"`: on a new one in any case
 * @returns {{ edits: Edit[], clipIds: string[], endFrame: number }}
 */
export function layOut(mirror, assets, startFrame, preferredTrackId) {
  const lengths = assets.map((asset) => framesOf(asset, mirror.sampleRate));
  const endFrame = startFrame + lengths.reduce((sum, length) => sum + length, 0);
  const order = mirror.tracks.toSorted((a, b) =>
    Number(b.header.trackId === preferredTrackId) - Number(a.header.trackId === preferredTrackId)
  );
  const free = preferredTrackId === "new"
    ? undefined
    : order.find(({ clips }) => clips.range(startFrame, endFrame).next().done);
  /** @type {Edit[]} */
  const edits = [];
  const trackId = free?.header.trackId ?? newId("track");
  if (free === undefined) {
    edits.push({ op: "track.add", track: { trackId, name: nextTrackName(mirror) } });
  }
  let at = startFrame;
  const clipIds = assets.map((asset, index) => {
    const clipId = newId("clip");
    /** @type {ClipInput} */
    const clip = {
      clipId,
      assetId: asset.assetId,
      startFrame: at,
      lengthFrames: lengths[index],
      sourceFrame: 0,
    };
    edits.push({ op: "clip.add", trackId, clip });
    at += lengths[index];
    return clipId;
  });
  return { edits, clipIds, endFrame };
}

/**
 * Lays assets one below another, each on a new track that is called after it.
 *
 * @param {TimelineMirror} mirror
 * @param {Asset[]} assets
 * @param {number} startFrame
 * @returns {{ edits: Edit[], clipIds: string[], endFrame: number }}
 */
export function layOutOnTracks(mirror, assets, startFrame) {
  const laid = assets.map((asset) => {
    const { edits, clipIds, endFrame } = layOut(mirror, [asset], startFrame, "new");
    for (const edit of edits) if (edit.op === "track.add") edit.track.name = stem(asset.path);
    return { edits, clipIds, endFrame };
  });
  return {
    edits: laid.flatMap(({ edits }) => edits),
    clipIds: laid.flatMap(({ clipIds }) => clipIds),
    endFrame: Math.max(startFrame, ...laid.map(({ endFrame }) => endFrame)),
  };
}

/** @param {TimelineMirror} mirror */
export function nextTrackName(mirror) {
  const taken = new Set(mirror.tracks.map(({ header }) => header.name));
  let number = mirror.tracks.length + 1;
  while (taken.has(`Track ${number}`)) number++;
  return `Track ${number}`;
}

/**
 * Copies of clips, right after the last of them.
 *
 * @param {TimelineMirror} mirror
 * @param {ChangedClip[]} clips
 * @returns {{ edits: Edit[], clipIds: string[] }}
 */
export function duplicate(mirror, clips) {
  return paste(mirror, clips, extent(clips)?.endFrame ?? 0);
}

/**
 * Copies of clips with the first of them at a place, each on its own track where that is still there, else on the first.
 *
 * @param {TimelineMirror} mirror
 * @param {readonly ChangedClip[]} clips as they were when they were copied
 * @param {number} startFrame
 * @returns {{ edits: Edit[], clipIds: string[] }}
 */
export function paste(mirror, clips, startFrame) {
  const range = extent(clips);
  const first = mirror.tracks[0]?.header.trackId;
  if (range === null || first === undefined) return { edits: [], clipIds: [] };
  // What was grouped is a group again, of its own; one clip alone is none.
  const members = Map.groupBy(clips, ({ groupId }) => groupId);
  const groupIds = new Map(
    [...members].map(([groupId, { length }]) => [groupId, length > 1 ? newId("group") : undefined]),
  );
  const copies = clips.map(({ trackId, groupId, ...clip }) => ({
    trackId: mirror.track(trackId) === undefined ? first : trackId,
    clip: {
      ...clip,
      ...groupId === undefined ? {} : { groupId: groupIds.get(groupId) },
      clipId: newId("clip"),
      startFrame: startFrame + clip.startFrame - range.startFrame,
    },
  }));
  return {
    edits: copies.map(({ trackId, clip }) => ({ op: "clip.add", trackId, clip })),
    clipIds: copies.map(({ clip }) => clip.clipId),
  };
}

/**
 * @param {ChangedClip[]} clips
 * @param {number} byFrames nothing goes before the beginning
 * @returns {Edit[]}
 */
export function nudge(clips, byFrames) {
  const by = Math.max(byFrames, -(extent(clips)?.startFrame ?? 0));
  if (by === 0) return [];
  return clips.map(({ clipId, startFrame }) => ({
    op: "clip.move",
    clipId,
    startFrame: startFrame + by,
  }));
}

/**
 * @param {ChangedClip[]} clips
 * @param {number} byDb silent ones stay silent
 * @returns {Edit[]}
 */
export function changeGain(clips, byDb) {
  return clips.flatMap(({ clipId, gainDb }) =>
    gainDb === null ? [] : [{
      op: /** @type {const} */ ("clip.set"),
      clipId,
      set: { gainDb: Math.min(36, Math.max(-60, Math.round((gainDb + byDb) * 10) / 10)) },
    }]
  );
}

/**
 * Linear fades become equal power and the other way round, all alike.
 *
 * @param {ChangedClip[]} clips
 * @returns {Edit[]}
 */
export function toggleFadeShape(clips) {
  const linear = clips.every((clip) => (clip.fadeInShape ?? "linear") === "linear");
  const shape = linear ? "equalPower" : "linear";
  return clips.map(({ clipId }) => ({
    op: "clip.set",
    clipId,
    set: { fadeInShape: shape, fadeOutShape: shape },
  }));
}

/**
 * @param {TimelineMirror} mirror
 * @param {number} frame
 * @param {-1 | 1} direction
 * @returns {number | null} the nearest start or end of a clip, or marker, that way
 */
export function nextCut(mirror, frame, direction) {
  let nearest = Infinity;
  const consider = (/** @type {number} */ at) => {
    const ahead = (at - frame) * direction;
    if (ahead > 0.5) nearest = Math.min(nearest, ahead);
  };
  consider(0);
  for (const clip of mirror.clips()) {
    consider(clip.startFrame);
    consider(clipEnd(clip));
  }
  for (const marker of mirror.markers) consider(marker.frame);
  return nearest === Infinity ? null : frame + nearest * direction;
}

// @ts-check
/**
 * Segments and ranges as edits: a segment is a clip with what is grouped with it. Values to values.
 *
 * @module
 */
import { clipEnd, clipsAcross, deleteRange, insertSilence } from "./edits.js";
import { newId } from "./ids.js";

/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { ChangedClip, Edit } from "../client/types.js" */
/** @import { Range } from "./edits.js" */

/** Clips that are moved one by one where they cannot be moved as a whole. */
const MOST_MOVED = 4000;

/**
 * Makes one segment of clips.
 *
 * @param {ChangedClip[]} clips
 * @returns {Edit[]} none where they are one already, or where there is only one
 */
export function group(clips) {
  const [first] = clips;
  if (clips.length < 2) return [];
  if (first.groupId !== undefined && clips.every(({ groupId }) => groupId === first.groupId)) {
    return [];
  }
  const groupId = newId("group");
  return clips.map(({ clipId }) => ({ op: "clip.set", clipId, set: { groupId } }));
}

/**
 * @param {ChangedClip[]} clips
 * @returns {Edit[]}
 */
export function ungroup(clips) {
  return clips.filter(({ groupId }) => groupId !== undefined)
    .map(({ clipId }) => ({ op: "clip.set", clipId, set: { groupId: null } }));
}

/**
 * Deletes each segment that clips belong to, and closes its gap on its own tracks alone.
 *
 * @param {ChangedClip[]} clips
 * @returns {Edit[]}
 */
export function deleteSegments(clips) {
  const done = new Set();
  // From the last to the first, so that what goes does not move what goes next before it is named.
  return clips.toSorted((a, b) => b.startFrame - a.startFrame).flatMap(({ clipId, groupId }) => {
    if (groupId !== undefined && done.has(groupId)) return [];
    done.add(groupId);
    return [{ op: /** @type {const} */ ("segment.delete"), clipId, ripple: "group" }];
  });
}

/**
 * Where a segment may go on its track.
 * @typedef {object} Order
 * @property {number} current index among the track's other segments, behind which it stands
 * @property {ChangedClip[]} others
 */

/**
 * @param {TimelineMirror} mirror
 * @param {ChangedClip} clip
 * @returns {Order}
 */
export function orderOf(mirror, clip) {
  const all = mirror.track(clip.trackId)?.clips.all() ?? [];
  const others = all.filter(({ clipId, groupId }) =>
    clipId !== clip.clipId && (groupId === undefined || groupId !== clip.groupId)
  );
  let current = 0;
  for (const other of all) {
    if (other.clipId === clip.clipId) break;
    if (others[current] === other) current++;
  }
  return { current, others };
}

/**
 * @param {Order} order
 * @param {number} frame
 * @returns {number} the index that the segment would have there: behind the others whose middle lies before it
 */
export function indexAt({ others }, frame) {
  let low = 0;
  let high = others.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { startFrame, lengthFrames } = others[middle];
    if (startFrame + lengthFrames / 2 < frame) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * @param {Order} order
 * @param {number} index
 * @returns {number} the frame where a segment with this index goes in
 */
export function placeOfIndex({ others }, index) {
  const next = others[index];
  if (next !== undefined) return next.startFrame;
  return others.reduce((end, clip) => Math.max(end, clipEnd(clip)), 0);
}

/**
 * Takes away what lies between the playhead and the nearest edge of the clips under it, on all tracks that are reached, and closes the gap.
 *
 * @param {TimelineMirror} mirror
 * @param {(clip: ChangedClip) => boolean} isSelected
 * @param {(trackId: string) => boolean} reaches
 * @param {number} atFrame
 * @param {"start" | "end"} side
 * @returns {Range | null}
 */
export function rippleTrimRange(mirror, isSelected, reaches, atFrame, side) {
  const under = clipsAcross(mirror, atFrame).filter(({ trackId }) => reaches(trackId));
  const chosen = under.filter(isSelected);
  const clips = chosen.length > 0 ? chosen : under;
  if (clips.length === 0) return null;
  return side === "start"
    ? {
      startFrame: Math.max(...clips.map(({ startFrame }) => startFrame)),
      endFrame: atFrame,
    }
    : { startFrame: atFrame, endFrame: Math.min(...clips.map(clipEnd)) };
}

/**
 * Splits whatever lies at a place: of one clip its whole segment, else on the tracks that are reached.
 *
 * @param {ChangedClip[]} clips with sound on both sides of it
 * @param {number} atFrame
 * @returns {Edit[]}
 */
export function splitClips(clips, atFrame) {
  return clips.filter((clip) => clip.startFrame < atFrame && clipEnd(clip) > atFrame)
    .map(({ clipId }) => ({ op: "clip.split", clipId, atFrame, newClipId: newId("clip") }));
}

/**
 * Moves what follows an edge on some tracks, and cuts nothing: what lies across the edge of its own accord, as in a crossfade, moves too if it
 * began later than the clips whose edge it is.
 *
 * @param {TimelineMirror} mirror
 * @param {object} options
 * @param {string[]} options.trackIds
 * @param {number} options.edge
 * @param {number} options.byFrames
 * @param {number} options.sinceFrame start of the clips whose edge it is
 * @param {ReadonlySet<string>} options.without those clips
 * @returns {Edit[] | null} null: too many would have to be moved one by one
 */
export function moveFollowers(mirror, { trackIds, edge, byFrames, sinceFrame, without }) {
  if (byFrames === 0) return [];
  const from = Math.min(edge, edge + byFrames);
  let crossed = false;
  for (const trackId of trackIds) {
    for (const clip of mirror.track(trackId)?.clips.range(from, edge) ?? []) {
      if (!without.has(clip.clipId)) crossed = true;
    }
    for (const clip of mirror.track(trackId)?.clips.range(edge, edge + 1) ?? []) {
      if (!without.has(clip.clipId) && clip.startFrame < edge) crossed = true;
    }
  }
  if (!crossed) {
    return byFrames > 0
      ? [insertSilence(edge, byFrames, trackIds)]
      : [deleteRange({ startFrame: edge + byFrames, endFrame: edge }, true, trackIds)];
  }
  /** @type {Edit[]} */
  const moves = [];
  for (const trackId of trackIds) {
    for (const { clipId, startFrame } of mirror.track(trackId)?.clips.all() ?? []) {
      if (startFrame <= sinceFrame || without.has(clipId)) continue;
      if (moves.length === MOST_MOVED) return null;
      moves.push({ op: "clip.move", clipId, startFrame: Math.max(0, startFrame + byFrames) });
    }
  }
  return moves;
}

/**
 * Edits of segments.
 *
 * @module
 */
import { InvalidParams } from "../../errors.ts";
import { type Blocks, endOf, insertClip, shiftFrom } from "../block_list.ts";
import { checkEnd, countClips } from "../timeline_model.ts";
import type { Edit, Frames } from "../types.ts";
import type { EditPath, TimelineDraft } from "./draft.ts";
import { deleteFrames } from "./range_edits.ts";
import { alignPartners, earliestOn, keepTogether, overlapping, takeOut } from "./segment_room.ts";
import { extentsOf, firstStartFrom, firstStartOf, type Member, segmentOf } from "./segments.ts";

type Of<Op extends Edit["op"]> = Extract<Edit, { op: Op }>;

/**
 * `segment.delete`: with `all` (the default) the time that the segment covers goes out of every track; with `group` its clips go and the
 * gap on their tracks closes. Where these are all tracks, that is a ripple over all tracks too, and the head goes along.
 */
export function deleteSegment(
  draft: TimelineDraft,
  edit: Of<"segment.delete">,
  path: EditPath,
): void {
  const members = segmentOf(draft, draft.clip(edit.clipId, path));
  if (edit.ripple === "group") {
    const steps = takeOut(draft, members);
    const own = new Set(members.map(({ trackIndex }) => trackIndex));
    if (own.size === draft.tracks.length) { for (const step of steps) draft.moveHeads(step); }
    return;
  }
  const tracks = [...draft.tracks.keys()];
  for (const { start, end } of extentsOf(members).reverse()) {
    deleteFrames(draft, start, end, true, tracks);
  }
}

/** Clips of a track that come before the one at `[block, clip]`. */
function orderOf(blocks: Blocks, block: number, clip: number): number {
  return countClips(blocks.slice(0, block)) + clip;
}

/** The clip at an index among a track's clips. */
function clipAt(blocks: Blocks, index: number): { start: Frames; groupId?: string } | undefined {
  let rest = index;
  for (const { start, block } of blocks) {
    if (rest < block.clips.length) {
      const { at, body } = block.clips[rest];
      return { start: start + at, groupId: body.groupId };
    }
    rest -= block.clips.length;
  }
  return undefined;
}

/**
 * `segment.reorder`: the segment leaves its place, the gap closes as in `segment.delete` with `group`, and it goes in where the clip
 * with index `toIndex` among the others of its track begins, or behind the last; what follows there makes room. Its clips keep their places
 * towards each other: where one of them would run into a clip before it on its track, all of it goes in later.
 */
export function reorderSegment(
  draft: TimelineDraft,
  edit: Of<"segment.reorder">,
  path: EditPath,
): void {
  const place = draft.clip(edit.clipId, path);
  const members = segmentOf(draft, place);
  const primary = place.trackIndex;
  const own = members.filter(({ trackIndex }) => trackIndex === primary);
  const { blocks } = draft.tracks[primary];
  const others = countClips(blocks) - own.length;
  if (edit.toIndex > others) {
    throw new InvalidParams(
      [...path, "toIndex"],
      `must be at most ${others}, the number of the track's other segments, got ${edit.toIndex}`,
    );
  }
  const before = orderOf(blocks, place.blockIndex, place.clipIndex) -
    own.filter(({ start }) => start < place.start).length;
  if (before === edit.toIndex) return;

  const old = overlapping(draft, members);
  const tracksBefore = new Map(
    members.map(({ trackIndex }) => [trackIndex, draft.tracks[trackIndex].blocks]),
  );
  takeOut(draft, members, false);
  const next = clipAt(draft.tracks[primary].blocks, edit.toIndex);
  const target = next?.start ?? endOf(draft.tracks[primary].blocks);
  /** Where what follows begins, on each of the segment's tracks: with the next segment's own clip, where it has one. */
  const from = new Map<number, Frames>();
  for (const { trackIndex } of members) {
    const partner = next?.groupId === undefined || trackIndex === primary
      ? Infinity
      : firstStartOf(draft.tracks[trackIndex].blocks, new Set([next.groupId]));
    from.set(trackIndex, partner < Infinity ? partner : target);
  }
  keepTogether(draft, from, primary);
  let by = target - place.start;
  for (const { trackIndex, start } of members) {
    const { blocks } = draft.tracks[trackIndex];
    const earliest = earliestOn(blocks, from.get(trackIndex)!, old.get(trackIndex)!);
    by = Math.max(by, earliest - start);
  }
  makeRoom(draft, members, by, from, path);
  for (const { trackIndex, start, body } of members) {
    checkEnd(start + by, body.lengthFrames, [...path, "toIndex"]);
    draft.setBlocks(
      trackIndex,
      insertClip(
        draft.tracks[trackIndex].blocks,
        { start: start + by, body },
        draft.context(trackIndex),
      ),
    );
  }
  alignPartners(draft, tracksBefore, place.body.groupId, [...path, "toIndex"]);
}

/** Moves what follows on the members' tracks, by the same length on each, so that the members fit in moved by `by`. */
function makeRoom(
  draft: TimelineDraft,
  members: readonly Member[],
  by: Frames,
  from: ReadonlyMap<number, Frames>,
  path: EditPath,
): void {
  let length = 0;
  for (const { trackIndex, end } of members) {
    const follower = firstStartFrom(draft.tracks[trackIndex].blocks, from.get(trackIndex)!);
    if (follower < Infinity) length = Math.max(length, end + by - follower);
  }
  for (const [trackIndex, first] of from) {
    const { blocks } = draft.tracks[trackIndex];
    draft.checkRoom(blocks, length, [...path, "toIndex"]);
    draft.setBlocks(trackIndex, shiftFrom(blocks, first, length, draft.context(trackIndex)));
  }
}

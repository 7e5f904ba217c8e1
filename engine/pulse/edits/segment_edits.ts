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
import { firstStartFrom, type Member, segmentOf, takeOut } from "./segments.ts";

type Of<Op extends Edit["op"]> = Extract<Edit, { op: Op }>;

/**
 * `segment.delete`: with `all` (the default) the clip's extent goes out of every track; with `group` the clips of its group, or it alone,
 * go and the gap on their tracks closes.
 */
export function deleteSegment(
  draft: TimelineDraft,
  edit: Of<"segment.delete">,
  path: EditPath,
): void {
  const place = draft.clip(edit.clipId, path);
  if (edit.ripple === "group") {
    takeOut(draft, segmentOf(draft, place));
    return;
  }
  const end = place.start + place.body.lengthFrames;
  deleteFrames(draft, place.start, end, true, draft.tracks.map((_, i) => i));
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

/** First start of a group's clips on a track. */
function groupStart(blocks: Blocks, groupId: string): Frames | undefined {
  for (const { start, block } of blocks) {
    const placed = block.clips.find(({ body }) => body.groupId === groupId);
    if (placed !== undefined) return start + placed.at;
  }
  return undefined;
}

/**
 * `segment.reorder`: the segment leaves its place, the gap closes as in `segment.delete` with `group`, and it goes in where the clip
 * with index `toIndex` among the others of its track begins, or behind the last; what follows there makes room. Offsets within the
 * group stay.
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

  takeOut(draft, members);
  const next = clipAt(draft.tracks[primary].blocks, edit.toIndex);
  const target = next?.start ?? endOf(draft.tracks[primary].blocks);
  const earliest = Math.min(...members.map(({ start }) => start));
  const by = Math.max(target - place.start, -earliest);
  makeRoom(draft, members, by, target, next?.groupId, primary, path);
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
}

/** Moves what follows `target` on the members' tracks, by the same length on each, so that the members fit in moved by `by`. */
function makeRoom(
  draft: TimelineDraft,
  members: readonly Member[],
  by: Frames,
  target: Frames,
  nextGroup: string | undefined,
  primary: number,
  path: EditPath,
): void {
  const from = new Map<number, Frames>();
  let length = 0;
  for (const { trackIndex, end } of members) {
    const { blocks } = draft.tracks[trackIndex];
    let threshold = from.get(trackIndex);
    if (threshold === undefined) {
      const partner = nextGroup === undefined || trackIndex === primary
        ? undefined
        : groupStart(blocks, nextGroup);
      from.set(trackIndex, threshold = partner ?? target);
    }
    const follower = firstStartFrom(blocks, threshold);
    if (follower < Infinity) length = Math.max(length, end + by - follower);
  }
  for (const [trackIndex, threshold] of from) {
    const { blocks } = draft.tracks[trackIndex];
    draft.checkRoom(blocks, length, [...path, "toIndex"]);
    draft.setBlocks(trackIndex, shiftFrom(blocks, threshold, length, draft.context(trackIndex)));
  }
}

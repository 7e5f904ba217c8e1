/**
 * Segments: a clip and what is grouped with it, as one thing that is taken out of its tracks and put in elsewhere. This is the rule of groups:
 *
 * - **A segment** is a clip and all clips with its `groupId`, on whatever tracks; a clip without one is a segment by itself. Its extent is
 *   the time that its clips cover.
 * - **`segment.*` act on the segment**, whichever of its clips they name: all of it goes, all of it moves, and its clips keep their places
 *   towards each other. **`range.*` act on time**: on what lies there on their tracks, grouped or not. **`clip.*` act on the clip that they
 *   name**: who wants the others to follow sends an edit for each of them in the same request.
 * - **What moves is not torn.** Where `segment.*` close a gap or make room on the segment's tracks, clips on other tracks that are grouped
 *   with some that move there move along.
 * - **A cut parts a segment.** Where a clip of it is cut in two, or a range takes something of it away and leaves something on both sides,
 *   all that lies to the right of the cut is a segment of its own from then on, with a `groupId` that the engine makes: the right parts of
 *   all its clips that are cut at that frame, and those that begin at the cut or behind it (of a range, on the range's tracks). What begins
 *   before the cut keeps the `groupId`. So a recording whose microphone and system sound are split at one frame, by one request or by one
 *   after another, is two recordings, and deleting the second leaves the first.
 * - **Trimming parts nothing**: a range that takes the begin or the end of a segment leaves it one, and so does one in a gap of it.
 * - **Copies** have the `groupId` that the client gives them: who copies a segment gives its copies one of their own.
 *
 * @module
 */
import { type Blocks, itemsOf, type TimelineBlock } from "../block_list.ts";
import type { ClipBody } from "../clip_body.ts";
import type { ClipPlace } from "../timeline_model.ts";
import type { Frames } from "../types.ts";
import type { TimelineDraft } from "./draft.ts";

/** A clip of a segment. */
export interface Member {
  readonly trackIndex: number;
  readonly start: Frames;
  readonly end: Frames;
  readonly body: ClipBody;
}

const groupsOfBlock = new WeakMap<TimelineBlock, ReadonlySet<string> | null>();

/** The groups of a block's clips; `null` without any. Found once a block. */
export function groupsOf(block: TimelineBlock): ReadonlySet<string> | null {
  let groups = groupsOfBlock.get(block);
  if (groups === undefined) {
    const ids = block.clips.flatMap(({ body }) => body.groupId === undefined ? [] : [body.groupId]);
    groups = ids.length === 0 ? null : new Set(ids);
    groupsOfBlock.set(block, groups);
  }
  return groups;
}

/** Whether a block has clips of one of these groups. */
export function hasAny(
  block: TimelineBlock,
  groupIds: ReadonlySet<string> | ReadonlyMap<string, unknown>,
) {
  const groups = groupsOf(block);
  if (groups === null) return false;
  if (groupIds.size > 8) return !groups.isDisjointFrom(groupIds);
  for (const groupId of groupIds.keys()) if (groups.has(groupId)) return true;
  return false;
}

/** The clips of the clip's group, or it alone, by track and start. */
export function segmentOf(draft: TimelineDraft, place: ClipPlace): Member[] {
  const { groupId } = place.body;
  if (groupId === undefined) {
    const { trackIndex, start, body } = place;
    return [{ trackIndex, start, end: start + body.lengthFrames, body }];
  }
  const members: Member[] = [];
  draft.tracks.forEach(({ blocks }, trackIndex) => {
    for (const { start, block } of blocks) {
      if (!groupsOf(block)?.has(groupId)) continue;
      for (const { at, body } of block.clips) {
        if (body.groupId !== groupId) continue;
        members.push({ trackIndex, start: start + at, end: start + at + body.lengthFrames, body });
      }
    }
  });
  return members;
}

/** First start at or after `from`; Infinity without one. */
export function firstStartFrom(blocks: Blocks, from: Frames): Frames {
  for (const ref of blocks) {
    if (ref.start >= from) return ref.start;
    const { clips } = ref.block;
    if (ref.start + clips[clips.length - 1].at < from) continue;
    for (const { at } of clips) if (ref.start + at >= from) return ref.start + at;
  }
  return Infinity;
}

/** Where the first clip of one of these groups starts; Infinity without one. */
export function firstStartOf(blocks: Blocks, groupIds: ReadonlySet<string>): Frames {
  for (const { start, block } of blocks) {
    if (!hasAny(block, groupIds)) continue;
    const first = block.clips.find(({ body }) => groupIds.has(body.groupId!))!;
    return start + first.at;
  }
  return Infinity;
}

/** Calls back with the end of each clip that starts before `frame` and ends behind `after`. */
export function endsBefore(
  blocks: Blocks,
  frame: Frames,
  after: Frames,
  onEnd: (end: Frames, body: ClipBody) => void,
): void {
  for (const ref of blocks) {
    if (ref.start >= frame) return;
    if (ref.start + ref.block.maxEnd <= after) continue;
    for (const { start, body } of itemsOf(ref)) {
      const end = start + body.lengthFrames;
      if (start < frame && end > after) onEnd(end, body);
    }
  }
}

/** Stretches of time that the members cover, in order; those that touch are one. */
export function extentsOf(members: readonly Member[]): { start: Frames; end: Frames }[] {
  const extents: { start: Frames; end: Frames }[] = [];
  for (const { start, end } of [...members].sort((a, b) => a.start - b.start)) {
    const last = extents.at(-1);
    if (last === undefined || start > last.end) extents.push({ start, end });
    else last.end = Math.max(last.end, end);
  }
  return extents;
}

/**
 * Segments: a clip and what is grouped with it, as one thing that is taken out of its tracks and put in elsewhere.
 *
 * @module
 */
import { type Blocks, itemsOf, removeClip, shiftFrom, type TimelineBlock } from "../block_list.ts";
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

function groupsOf(block: TimelineBlock): ReadonlySet<string> | null {
  let groups = groupsOfBlock.get(block);
  if (groups === undefined) {
    const ids = block.clips.flatMap(({ body }) => body.groupId === undefined ? [] : [body.groupId]);
    groups = ids.length === 0 ? null : new Set(ids);
    groupsOfBlock.set(block, groups);
  }
  return groups;
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

/** Where the last of the clips that start before `frame` ends; 0 without one. */
function endBefore(blocks: Blocks, frame: Frames): Frames {
  let end = 0;
  for (const ref of blocks) {
    if (ref.start >= frame) break;
    const { clips, maxEnd } = ref.block;
    if (ref.start + clips[clips.length - 1].at < frame) {
      end = Math.max(end, ref.start + maxEnd);
      continue;
    }
    for (const item of itemsOf(ref)) {
      if (item.start < frame) end = Math.max(end, item.start + item.body.lengthFrames);
    }
  }
  return end;
}

/** Members that sound together, and so close one gap. */
function clustersOf(members: readonly Member[]): Member[][] {
  const clusters: Member[][] = [];
  let end = -1;
  for (const member of [...members].sort((a, b) => a.start - b.start)) {
    if (member.start >= end) clusters.push([]);
    clusters[clusters.length - 1].push(member);
    end = Math.max(end, member.end);
  }
  return clusters;
}

/**
 * Takes the members out and closes the gap that they leave, on their tracks alone and by the same length on each, so that these stay in
 * sync: by the longest member's length, or by less where clips would otherwise run into each other that did not before.
 */
export function takeOut(draft: TimelineDraft, members: readonly Member[]): void {
  for (const cluster of clustersOf(members).reverse()) {
    const starts = new Map<number, Frames>();
    const ends = new Map<number, Frames>();
    for (const { trackIndex, start, end, body } of cluster) {
      const place = draft.find(body.clipId)!;
      const { blocks } = draft.tracks[trackIndex];
      draft.setBlocks(
        trackIndex,
        removeClip(blocks, place.blockIndex, place.clipIndex, draft.context(trackIndex)),
      );
      starts.set(trackIndex, Math.min(start, starts.get(trackIndex) ?? Infinity));
      ends.set(trackIndex, Math.max(end, ends.get(trackIndex) ?? 0));
    }
    let longest = 0;
    let room = Infinity;
    for (const [trackIndex, start] of starts) {
      const { blocks } = draft.tracks[trackIndex];
      longest = Math.max(longest, ends.get(trackIndex)! - start);
      room = Math.min(room, firstStartFrom(blocks, start) - endBefore(blocks, start));
    }
    const length = Math.max(0, Math.min(longest, room));
    for (const [trackIndex, start] of starts) {
      const { blocks } = draft.tracks[trackIndex];
      draft.setBlocks(trackIndex, shiftFrom(blocks, start, -length, draft.context(trackIndex)));
    }
  }
}

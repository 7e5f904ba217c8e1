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
 *   before the cut keeps the `groupId`. So a recording whose microphone and
 *   system sound are split at one frame, by one request or by one after another, is two recordings, and deleting the second leaves the first.
 * - **Trimming parts nothing**: a range that takes the begin or the end of a segment leaves it one, and so does one in a gap of it.
 * - **Copies** have the `groupId` that the client gives them: who copies a segment gives its copies one of their own.
 *
 * @module
 */
import {
  type Blocks,
  insertClips,
  type Item,
  itemsOf,
  removeClip,
  removeClips,
  replaceBody,
  shiftFrom,
  type TimelineBlock,
} from "../block_list.ts";
import { clipsWithin } from "../block_range.ts";
import { changeBody, type ClipBody } from "../clip_body.ts";
import type { HeadMapStep } from "../../signal/model.ts";
import { checkEnd, type ClipPlace } from "../timeline_model.ts";
import type { Frames } from "../types.ts";
import type { EditPath, TimelineDraft } from "./draft.ts";

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

/** Whether a block has clips of one of these groups. */
function hasAny(
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

/** Calls back with the end of each clip that starts before `frame` and ends behind `after`. */
function endsBefore(
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

/** Where the last clip starts that starts before `frame`; 0 without one. */
function lastStartBefore(blocks: Blocks, frame: Frames): Frames {
  const ref = blocks.findLast(({ start }) => start < frame);
  return ref === undefined ? 0 : itemsOf(ref).findLast(({ start }) => start < frame)!.start;
}

/**
 * How far the clips that start at or after `from` may go to the left: not beyond `at`, none before a clip that it follows, and none onto a
 * clip before `from` that it does not overlap already.
 */
function roomOn(blocks: Blocks, from: Frames, at: Frames): Frames {
  const follower = firstStartFrom(blocks, from);
  if (follower === Infinity) return Infinity;
  let room = follower - Math.max(at, lastStartBefore(blocks, from));
  endsBefore(blocks, from, at, (end) => {
    const next = end <= follower ? follower : firstStartFrom(blocks, end);
    room = Math.min(room, next - end);
  });
  return Math.max(0, room);
}

/**
 * How late a segment's clip must begin on a track where it goes in at `from`: behind what starts before that, save for the clips in `old`,
 * which it overlapped where it was, and those that reach beyond the begin of what follows, where clips overlap anyway.
 */
export function earliestOn(blocks: Blocks, from: Frames, old: ReadonlySet<ClipBody>): Frames {
  const follower = firstStartFrom(blocks, from);
  let earliest = 0;
  // From the right: mostly the first block looked into has the last end, and the others are passed over.
  for (const ref of blocks.toReversed()) {
    if (ref.start >= from || ref.start + ref.block.maxEnd <= earliest) continue;
    for (const { start, body } of itemsOf(ref)) {
      const end = start + body.lengthFrames;
      if (start < from && end <= follower && !old.has(body)) earliest = Math.max(earliest, end);
    }
  }
  return earliest;
}

/** Whether a clip of the group starts at or after the frame of its track. */
function isMoving(
  draft: TimelineDraft,
  groupId: string,
  from: ReadonlyMap<number, Frames>,
): boolean {
  for (const [i, frame] of from) {
    for (const { start, block } of draft.tracks[i].blocks) {
      if (start + block.clips[block.clips.length - 1].at < frame) continue;
      if (!groupsOf(block)?.has(groupId)) continue;
      if (block.clips.some(({ at, body }) => start + at >= frame && body.groupId === groupId)) {
        return true;
      }
    }
  }
  return false;
}

/**
 * Where on each track what makes room begins, so that no segment is torn which lies across the place: a clip of it that sounds on there moves
 * with the others.
 *
 * @param from Frames by track, set earlier where that is so.
 * @param fixed The track whose frame stays.
 */
export function keepTogether(
  draft: TimelineDraft,
  from: Map<number, Frames>,
  fixed: number,
): void {
  for (let isSettled = false; !isSettled;) {
    isSettled = true;
    for (const [i, frame] of from) {
      if (i === fixed) continue;
      clipsWithin(draft.tracks[i].blocks, frame - 1, frame + 1, (start, body) => {
        if (start >= from.get(i)! || start + body.lengthFrames <= frame) return;
        if (body.groupId === undefined || !isMoving(draft, body.groupId, from)) return;
        from.set(i, start);
        isSettled = false;
      });
    }
  }
}

/** The clips that sound together with a member on its track, members too. */
export function overlapping(
  draft: TimelineDraft,
  members: readonly Member[],
): Map<number, Set<ClipBody>> {
  const found = new Map<number, Set<ClipBody>>();
  for (const { trackIndex, start, end } of members) {
    const bodies = found.get(trackIndex) ?? new Set();
    found.set(trackIndex, bodies);
    clipsWithin(draft.tracks[trackIndex].blocks, start, end, (_, body) => bodies.add(body));
  }
  return found;
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

/** Members that sound together, and so close one gap; in order. */
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

/** Where the first clip of one of these groups starts; Infinity without one. */
export function firstStartOf(blocks: Blocks, groupIds: ReadonlySet<string>): Frames {
  for (const { start, block } of blocks) {
    if (!hasAny(block, groupIds)) continue;
    const first = block.clips.find(({ body }) => groupIds.has(body.groupId!))!;
    return start + first.at;
  }
  return Infinity;
}

/**
 * What else moves where, on each of some tracks, everything that starts at or after a frame does: on a track that is not among them what
 * starts with the first clip that is grouped with something that moves, or later. So no segment that follows is torn.
 *
 * @param from Frames by track; not changed.
 */
export function followersOf(
  draft: TimelineDraft,
  from: ReadonlyMap<number, Frames>,
): Map<number, Frames> {
  const found = new Map<number, Frames>();
  const others = [...draft.tracks.keys()].filter((i) =>
    !from.has(i) && draft.tracks[i].blocks.some(({ block }) => groupsOf(block) !== null)
  );
  if (others.length === 0) return found;
  const moving = new Set<string>();
  const queue = [...from];
  for (const [i, frame] of queue) {
    const fresh = new Set<string>();
    for (const { start, block } of draft.tracks[i].blocks) {
      if (start + block.clips[block.clips.length - 1].at < frame || groupsOf(block) === null) {
        continue;
      }
      for (const { at, body } of block.clips) {
        if (start + at >= frame && body.groupId !== undefined && !moving.has(body.groupId)) {
          fresh.add(body.groupId);
        }
      }
    }
    if (fresh.size === 0) continue;
    for (const groupId of fresh) moving.add(groupId);
    for (const other of others) {
      const first = firstStartOf(draft.tracks[other].blocks, fresh);
      if (first >= (found.get(other) ?? Infinity)) continue;
      found.set(other, first);
      queue.push([other, first]);
    }
  }
  return found;
}

/**
 * Takes the members out and closes the gaps that they leave, on their tracks alone: what follows a gap moves by the same length on each of
 * them, so that these stay in sync: by the length of what sounded together there, or by less where clips would otherwise run into each
 * other that did not before. On other tracks moves what is grouped with something that moves, and what follows it.
 *
 * @param withFollowers False where the caller sees to what is grouped with something that moves.
 * @returns what closed, in the order in which it did.
 */
export function takeOut(
  draft: TimelineDraft,
  members: readonly Member[],
  withFollowers = true,
): HeadMapStep[] {
  const tracks = new Set(members.map(({ trackIndex }) => trackIndex));
  const steps: HeadMapStep[] = [];
  for (const cluster of clustersOf(members).reverse()) {
    const at = cluster[0].start;
    /** Where what follows begins, on each track. */
    const from = new Map<number, Frames>();
    let end = at;
    for (const { trackIndex, start, end: memberEnd, body } of cluster) {
      const place = draft.find(body.clipId)!;
      const { blocks } = draft.tracks[trackIndex];
      draft.setBlocks(
        trackIndex,
        removeClip(blocks, place.blockIndex, place.clipIndex, draft.context(trackIndex)),
      );
      from.set(trackIndex, from.get(trackIndex) ?? start);
      end = Math.max(end, memberEnd);
    }
    for (const i of tracks) if (!from.has(i)) from.set(i, at);
    const followers = withFollowers ? followersOf(draft, from) : new Map<number, Frames>();
    let length = end - at;
    for (const [i, frame] of from) {
      length = Math.min(length, roomOn(draft.tracks[i].blocks, frame, at));
    }
    for (const [i, frame] of followers) {
      length = Math.min(length, roomOn(draft.tracks[i].blocks, frame, 0));
    }
    if (length === 0) continue;
    for (const [i, frame] of [...from, ...followers]) {
      const { blocks } = draft.tracks[i];
      draft.setBlocks(i, shiftFrom(blocks, frame, -length, draft.context(i)));
    }
    steps.push({ at, remove: length, insert: 0 });
  }
  return steps;
}

/** Groups of clips that sound in `[start, end)` on these tracks. */
export function groupsWithin(
  draft: TimelineDraft,
  start: Frames,
  end: Frames,
  tracks: Iterable<number>,
): Set<string> {
  const found = new Set<string>();
  for (const i of tracks) {
    for (const ref of draft.tracks[i].blocks) {
      if (ref.start >= end) break;
      if (ref.start + ref.block.maxEnd <= start || groupsOf(ref.block) === null) continue;
      clipsWithin([ref], start, end, (_, { groupId }) => {
        if (groupId !== undefined) found.add(groupId);
      });
    }
  }
  return found;
}

/** Those of the groups that have clips on these tracks which begin before a frame and others that do not. */
export function groupsAcross(
  draft: TimelineDraft,
  groupIds: ReadonlySet<string>,
  frame: Frames,
  tracks: Iterable<number>,
): string[] {
  const left = new Set<string>();
  const right = new Set<string>();
  if (groupIds.size > 0) {
    for (const i of tracks) {
      for (const { start, block } of draft.tracks[i].blocks) {
        if (!hasAny(block, groupIds)) continue;
        for (const { at, body: { groupId } } of block.clips) {
          if (groupId === undefined || !groupIds.has(groupId)) continue;
          (start + at < frame ? left : right).add(groupId);
        }
      }
    }
  }
  return [...groupIds].filter((groupId) => left.has(groupId) && right.has(groupId));
}

/**
 * Parts the segments that were cut at a frame: their clips that begin there or behind, on these tracks, go to the right part's group.
 *
 * @param rightOf The groups that were cut, and those of their right parts.
 */
export function partSegments(
  draft: TimelineDraft,
  rightOf: ReadonlyMap<string, string>,
  atFrame: Frames,
  tracks: Iterable<number>,
): void {
  if (rightOf.size === 0) return;
  for (const i of tracks) {
    draft.tracks[i].blocks.forEach(({ start, block }, blockIndex) => {
      if (start + block.clips[block.clips.length - 1].at < atFrame) return;
      if (!hasAny(block, rightOf)) return;
      block.clips.forEach(({ at, body }, clipIndex) => {
        const groupId = body.groupId === undefined ? undefined : rightOf.get(body.groupId);
        if (groupId === undefined || start + at < atFrame) return;
        const { blocks } = draft.tracks[i];
        draft.setBlocks(
          i,
          replaceBody(blocks, blockIndex, clipIndex, changeBody(body, { groupId })),
        );
      });
    });
  }
}

/** Sources of a clip's two parts go on this exactly, in frames. */
const SOURCE_TOLERANCE = 1 / 1024;

/** True where `right` plays on what `left` played. */
function goesOn(left: ClipBody, right: ClipBody): boolean {
  const by = right.sourceFrame - left.sourceFrame;
  const played = "reverse" in left && left.reverse
    ? -right.lengthFrames * left.rate
    : left.lengthFrames * left.rate;
  return left.assetId === right.assetId && left.rate === right.rate &&
    Math.abs(by - played) < SOURCE_TOLERANCE;
}

/**
 * The group of what an earlier cut of the segment at this frame left to the right of it: that of the clip which goes on there with one of
 * the segment's. So its clips may be cut by one request or by one after another.
 */
export function rightPartBefore(
  draft: TimelineDraft,
  groupId: string,
  atFrame: Frames,
): string | undefined {
  for (const { blocks } of draft.tracks) {
    if (!blocks.some(({ block }) => groupsOf(block)?.has(groupId))) continue;
    const lefts: ClipBody[] = [];
    endsBefore(blocks, atFrame, atFrame - 1, (end, body) => {
      if (end === atFrame && body.groupId === groupId) lefts.push(body);
    });
    if (lefts.length === 0) continue;
    let found: string | undefined;
    clipsWithin(blocks, atFrame, atFrame + 1, (start, right) => {
      if (start !== atFrame || right.groupId === undefined || right.groupId === groupId) return;
      if (lefts.some((left) => goesOn(left, right))) found ??= right.groupId;
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Moves, on other tracks, the clips that are grouped with some that moved on these, and by the same length.
 *
 * @param before The tracks as they were, by index.
 * @param groupId Of the segment that moved by itself.
 */
export function alignPartners(
  draft: TimelineDraft,
  before: ReadonlyMap<number, Blocks>,
  groupId: string | undefined,
  path: EditPath,
): void {
  const others = [...draft.tracks.keys()].filter((i) =>
    !before.has(i) && draft.tracks[i].blocks.some(({ block }) => groupsOf(block) !== null)
  );
  if (others.length === 0) return;
  const moved = new Map<string, Frames>();
  for (const [i, old] of before) {
    const starts = new Map<string, Frames>();
    const { blocks } = draft.tracks[i];
    // What neither moved nor was made anew is not looked into.
    const stays = new Set(old).intersection(new Set(blocks));
    for (const ref of old) {
      if (stays.has(ref) || groupsOf(ref.block) === null) continue;
      for (const { start, body } of itemsOf(ref)) starts.set(body.clipId, start);
    }
    for (const ref of blocks) {
      if (stays.has(ref) || groupsOf(ref.block) === null) continue;
      for (const { start, body } of itemsOf(ref)) {
        const by = start - (starts.get(body.clipId) ?? start);
        if (by === 0 || body.groupId === undefined || body.groupId === groupId) continue;
        if (!moved.has(body.groupId)) moved.set(body.groupId, by);
      }
    }
  }
  if (moved.size === 0) return;
  for (const i of others) {
    const { blocks } = draft.tracks[i];
    const items: Item[] = [];
    const rebuilt = new Set<number>();
    blocks.forEach((ref, index) => {
      if (!hasAny(ref.block, moved)) return;
      for (const { start, body } of itemsOf(ref)) {
        const by = body.groupId === undefined ? undefined : moved.get(body.groupId);
        if (by === undefined) continue;
        const to = Math.max(0, start + by);
        checkEnd(to, body.lengthFrames, path);
        items.push({ start: to, body });
        rebuilt.add(index);
      }
    });
    if (items.length === 0) continue;
    const isMoved = (body: ClipBody) => body.groupId !== undefined && moved.has(body.groupId);
    const context = draft.context(i);
    const rest = removeClips(blocks, rebuilt, isMoved, context);
    draft.setBlocks(i, insertClips(rest, items.sort((a, b) => a.start - b.start), context));
  }
}

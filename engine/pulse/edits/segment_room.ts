/**
 * How segments leave their tracks and go in elsewhere: what closes up, what makes room, and what moves along (`segments.ts` has the rule).
 *
 * @module
 */
import type { HeadMapStep } from "../../signal/model.ts";
import {
  type Blocks,
  insertClips,
  type Item,
  itemsOf,
  removeClip,
  removeClips,
  shiftFrom,
} from "../block_list.ts";
import { clipsWithin } from "../block_range.ts";
import type { ClipBody } from "../clip_body.ts";
import { checkEnd } from "../timeline_model.ts";
import type { Frames } from "../types.ts";
import type { EditPath, TimelineDraft } from "./draft.ts";
import {
  endsBefore,
  firstStartFrom,
  firstStartOf,
  groupsOf,
  hasAny,
  type Member,
} from "./segments.ts";

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

/**
 * What else moves where, on each of some tracks, everything that starts at or after a frame does: on a track that is not among them what
 * starts with the first clip that is grouped with something that moves, or later. So no segment that follows is torn.
 *
 * @param from Frames by track; not changed.
 */
function followersOf(
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

/**
 * How a cut parts segments (`segments.ts` has the rule).
 *
 * @module
 */
import { replaceBody } from "../block_list.ts";
import { clipsWithin } from "../block_range.ts";
import { changeBody, type ClipBody, soundingRate } from "../clip_body.ts";
import type { Frames } from "../types.ts";
import type { TimelineDraft } from "./draft.ts";
import { endsBefore, groupsOf, hasAny } from "./segments.ts";

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

/** True where `right` plays on what `left` played; backwards `right` has what comes before it in the source. */
function goesOn(left: ClipBody, right: ClipBody): boolean {
  const [before, behind] = left.reverse ? [right, left] : [left, right];
  const played = before.lengthFrames * soundingRate(before.rate);
  return left.assetId === right.assetId && left.rate === right.rate &&
    left.reverse === right.reverse &&
    Math.abs(before.sourceFrame + played - behind.sourceFrame) < SOURCE_TOLERANCE;
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

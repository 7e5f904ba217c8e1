/**
 * Edits of a stretch of time over several tracks.
 *
 * @module
 */
import { InvalidParams } from "../../errors.ts";
import { cutRange } from "../block_list.ts";
import type { ClipBody } from "../clip_body.ts";
import type { Edit, Frames } from "../types.ts";
import type { EditPath, TimelineDraft } from "./draft.ts";
import { groupsAcross, groupsWithin, partSegments } from "./segment_cuts.ts";

type Of<Op extends Edit["op"]> = Extract<Edit, { op: Op }>;

/** Cuts `[start, end)` out of the tracks and moves what follows by `shift`. Segments that are cut in two are two from then on. */
function cutTracks(
  draft: TimelineDraft,
  start: Frames,
  end: Frames,
  shift: Frames,
  tracks: readonly number[],
): void {
  const rightOf = new Map<string, string>();
  const touched = groupsWithin(draft, start, end, tracks);
  for (const i of tracks) {
    const { blocks } = draft.tracks[i];
    const rightPart = (left: ClipBody) => {
      const right = draft.rightPart(left, start);
      if (right.groupId !== undefined) rightOf.set(left.groupId!, right.groupId);
      return right;
    };
    draft.setBlocks(i, cutRange(blocks, start, end, shift, draft.context(i), rightPart));
  }
  for (const groupId of groupsAcross(draft, touched, start, tracks)) {
    if (!rightOf.has(groupId)) rightOf.set(groupId, draft.rightGroup(groupId, start));
  }
  partSegments(draft, rightOf, start, tracks);
}

/** Takes `[start, end)` out of the tracks; with `ripple` what follows closes up, and over all tracks the head goes along. */
export function deleteFrames(
  draft: TimelineDraft,
  start: Frames,
  end: Frames,
  ripple: boolean,
  tracks: readonly number[],
): void {
  cutTracks(draft, start, end, ripple ? start - end : 0, tracks);
  if (ripple && tracks.length === draft.tracks.length) {
    draft.moveHeads({ at: start, remove: end - start, insert: 0 });
  }
}

/** `range.delete`: trims, splits and removes; without `ripple` a gap stays. */
export function deleteRange(draft: TimelineDraft, edit: Of<"range.delete">, path: EditPath): void {
  const { startFrame, endFrame, ripple, trackIds } = edit;
  if (startFrame >= endFrame) {
    throw new InvalidParams(
      [...path, "endFrame"],
      `must be greater than startFrame (${endFrame} <= ${startFrame})`,
    );
  }
  deleteFrames(draft, startFrame, endFrame, ripple, draft.trackIndexes(trackIds, path));
}

/** `range.insert`: opens a gap; a clip that spans the place is split. */
export function insertRange(draft: TimelineDraft, edit: Of<"range.insert">, path: EditPath): void {
  const { atFrame, lengthFrames, trackIds } = edit;
  const tracks = draft.trackIndexes(trackIds, path);
  const isAll = tracks.length === draft.tracks.length;
  if (isAll) draft.checkHeads(atFrame, lengthFrames, [...path, "lengthFrames"]);
  for (const i of tracks) {
    draft.checkRoom(draft.tracks[i].blocks, lengthFrames, [...path, "lengthFrames"]);
  }
  cutTracks(draft, atFrame, atFrame, lengthFrames, tracks);
  if (isAll) draft.moveHeads({ at: atFrame, remove: 0, insert: lengthFrames });
}

/**
 * Edits of a stretch of time over several tracks.
 *
 * @module
 */
import { InvalidParams } from "../../errors.ts";
import { cutRange } from "../block_list.ts";
import type { Edit, Frames } from "../types.ts";
import type { EditPath, TimelineDraft } from "./draft.ts";

type Of<Op extends Edit["op"]> = Extract<Edit, { op: Op }>;

/** Takes `[start, end)` out of the tracks; with `ripple` what follows closes up, and over all tracks the head goes along. */
export function deleteFrames(
  draft: TimelineDraft,
  start: Frames,
  end: Frames,
  ripple: boolean,
  tracks: readonly number[],
): void {
  const shift = ripple ? start - end : 0;
  for (const i of tracks) {
    draft.setBlocks(
      i,
      cutRange(
        draft.tracks[i].blocks,
        start,
        end,
        shift,
        draft.context(i),
        (left) => draft.rightPart(left, start),
      ),
    );
  }
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
  for (const i of tracks) {
    const { blocks } = draft.tracks[i];
    draft.checkRoom(blocks, lengthFrames, [...path, "lengthFrames"]);
    const right = cutRange(
      blocks,
      atFrame,
      atFrame,
      lengthFrames,
      draft.context(i),
      (left) => draft.rightPart(left, atFrame),
    );
    draft.setBlocks(i, right);
  }
  if (tracks.length === draft.tracks.length) {
    draft.moveHeads({ at: atFrame, remove: 0, insert: lengthFrames });
  }
}

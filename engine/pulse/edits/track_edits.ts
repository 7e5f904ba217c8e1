/**
 * Edits of tracks as a whole.
 *
 * @module
 */
import { EngineError, InvalidParams } from "../../errors.ts";
import { buildBlocks } from "../block_list.ts";
import { definedOnly, sameJson } from "../clip_body.ts";
import { LIMITS } from "../limits.ts";
import { headerOf, itemsFromInput, trackOf } from "../timeline_model.ts";
import type { ClipInput, Edit } from "../types.ts";
import type { EditPath, TimelineDraft } from "./draft.ts";

type Of<Op extends Edit["op"]> = Extract<Edit, { op: Op }>;

function checkIndex(toIndex: number, greatest: number, path: EditPath): void {
  if (toIndex > greatest) {
    throw new InvalidParams([...path, "toIndex"], `must be at most ${greatest}, got ${toIndex}`);
  }
}

/** `track.add`: at `toIndex`, or below the others. Its clips come with it. */
export function addTrack(draft: TimelineDraft, edit: Of<"track.add">, path: EditPath): void {
  const { track, toIndex = draft.tracks.length } = edit;
  if (draft.tracks.some(({ trackId }) => trackId === track.trackId)) {
    throw new EngineError(
      "timeline.conflict",
      `Cannot add the track: the id ${JSON.stringify(track.trackId)} is taken`,
      { trackId: track.trackId, path: [...path, "track", "trackId"] },
    );
  }
  if (draft.tracks.length >= LIMITS.tracks) {
    throw new EngineError("limit.exceeded", `Cannot add the track: there are ${LIMITS.tracks}`, {
      limit: "tracks",
      maximum: LIMITS.tracks,
    });
  }
  checkIndex(toIndex, draft.tracks.length, path);
  const clips = (track.clips ?? []) as ClipInput[];
  const given = new Set(clips.map(({ clipId }) => clipId));
  const items = itemsFromInput(clips, {
    newClipId: () => {
      for (;;) {
        const id = draft.newClipId();
        if (!given.has(id)) return id;
      }
    },
    known: () => undefined,
    isTaken: (clipId) => draft.find(clipId) !== undefined,
  }, [...path, "track", "clips"]);
  const blocks = buildBlocks(items, { trackId: track.trackId, index: draft.index });
  draft.tracks.splice(toIndex, 0, trackOf(track, blocks));
}

/** `track.remove`: its clips go with it. */
export function removeTrack(draft: TimelineDraft, edit: Of<"track.remove">, path: EditPath): void {
  draft.tracks.splice(draft.trackIndex(edit.trackId, [...path, "trackId"]), 1);
}

/** `track.move`: to `toIndex` among the tracks. */
export function moveTrack(draft: TimelineDraft, edit: Of<"track.move">, path: EditPath): void {
  const from = draft.trackIndex(edit.trackId, [...path, "trackId"]);
  checkIndex(edit.toIndex, draft.tracks.length - 1, path);
  const [track] = draft.tracks.splice(from, 1);
  draft.tracks.splice(edit.toIndex, 0, track);
}

/** `track.set`: name, gain, pan, mute, solo, meta (`null` takes the meta away). */
export function setTrack(draft: TimelineDraft, edit: Of<"track.set">, path: EditPath): void {
  const i = draft.trackIndex(edit.trackId, [...path, "trackId"]);
  const track = draft.tracks[i];
  const next = trackOf({ ...headerOf(track), ...definedOnly(edit.set) }, track.blocks);
  if (!sameJson(headerOf(next), headerOf(track))) draft.tracks[i] = next;
}

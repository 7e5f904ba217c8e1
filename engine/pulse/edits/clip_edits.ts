/**
 * Edits of one clip.
 *
 * @module
 */
import { InvalidParams } from "../../errors.ts";
import { insertClip, removeClip, replaceBody } from "../block_list.ts";
import {
  bodyFromInput,
  changeBody,
  checkBody,
  type ClipBody,
  definedOnly,
  sliceBody,
} from "../clip_body.ts";
import { checkEnd, type ClipPlace } from "../timeline_model.ts";
import type { Edit, Frames } from "../types.ts";
import type { EditPath, TimelineDraft } from "./draft.ts";
import { partSegments, rightPartBefore } from "./segment_cuts.ts";

type Of<Op extends Edit["op"]> = Extract<Edit, { op: Op }>;

/** Puts a clip on a track, behind those that start with it. */
function put(draft: TimelineDraft, trackIndex: number, start: Frames, body: ClipBody): void {
  const { blocks } = draft.tracks[trackIndex];
  draft.setBlocks(trackIndex, insertClip(blocks, { start, body }, draft.context(trackIndex)));
}

/** Takes a clip off its track. */
function take(draft: TimelineDraft, place: ClipPlace): void {
  const { trackIndex, blockIndex, clipIndex } = place;
  const { blocks } = draft.tracks[trackIndex];
  draft.setBlocks(trackIndex, removeClip(blocks, blockIndex, clipIndex, draft.context(trackIndex)));
}

/** The clip with another body and start: in place where the start stays. */
function replace(draft: TimelineDraft, place: ClipPlace, start: Frames, body: ClipBody): void {
  const { trackIndex, blockIndex, clipIndex } = place;
  if (start === place.start) {
    if (body === place.body) return;
    const { blocks } = draft.tracks[trackIndex];
    draft.setBlocks(trackIndex, replaceBody(blocks, blockIndex, clipIndex, body));
    return;
  }
  take(draft, place);
  put(draft, trackIndex, start, body);
}

/** `clip.add`: on top of what starts at the same frame. */
export function addClip(draft: TimelineDraft, edit: Of<"clip.add">, path: EditPath): void {
  const trackIndex = draft.trackIndex(edit.trackId, [...path, "trackId"]);
  const { clip } = edit;
  if (clip.clipId !== undefined) draft.checkNewClipId(clip.clipId, [...path, "clip", "clipId"]);
  const body = bodyFromInput(clip, clip.clipId ?? draft.newClipId());
  checkEnd(clip.startFrame, clip.lengthFrames, [...path, "clip", "lengthFrames"]);
  checkBody(body, [...path, "clip"]);
  put(draft, trackIndex, clip.startFrame, body);
}

/** `clip.remove`: leaves a gap. */
export function removeOneClip(draft: TimelineDraft, edit: Of<"clip.remove">, path: EditPath): void {
  take(draft, draft.clip(edit.clipId, path));
}

/** `clip.set`: any member but id and place. Fades that are not named are clamped where the clip gets shorter. */
export function setClip(draft: TimelineDraft, edit: Of<"clip.set">, path: EditPath): void {
  const place = draft.clip(edit.clipId, path);
  // Only its neutral value comes this far, and that is not kept.
  const { pipeline: _pipeline, ...set } = edit.set;
  const lengthFrames = set.lengthFrames ?? place.body.lengthFrames;
  checkEnd(place.start, lengthFrames, [...path, "set", "lengthFrames"]);
  const body = changeBody(place.body, {
    ...(lengthFrames < place.body.lengthFrames && {
      fadeInFrames: Math.min(place.body.fadeInFrames, lengthFrames),
      fadeOutFrames: Math.min(place.body.fadeOutFrames, lengthFrames),
    }),
    ...definedOnly(set),
  });
  checkBody(body, [...path, "set"]);
  replace(draft, place, place.start, body);
}

/** `clip.move`: to another frame, another track, or both. */
export function moveClip(draft: TimelineDraft, edit: Of<"clip.move">, path: EditPath): void {
  if (edit.startFrame === undefined && edit.trackId === undefined) {
    throw new InvalidParams([...path, "startFrame"], "give startFrame, trackId or both");
  }
  const place = draft.clip(edit.clipId, path);
  const to = edit.trackId === undefined
    ? place.trackIndex
    : draft.trackIndex(edit.trackId, [...path, "trackId"]);
  const start = edit.startFrame ?? place.start;
  if (to === place.trackIndex && start === place.start) return;
  checkEnd(start, place.body.lengthFrames, [...path, "startFrame"]);
  take(draft, place);
  put(draft, to, start, place.body);
}

/** `clip.trim`: new begin, new end or both; the sound stays in place. A begin before the source's is silence there. */
export function trimClip(draft: TimelineDraft, edit: Of<"clip.trim">, path: EditPath): void {
  if (edit.startFrame === undefined && edit.endFrame === undefined) {
    throw new InvalidParams([...path, "startFrame"], "give startFrame, endFrame or both");
  }
  const place = draft.clip(edit.clipId, path);
  const start = edit.startFrame ?? place.start;
  const end = edit.endFrame ?? place.start + place.body.lengthFrames;
  if (start >= end) {
    const field = edit.startFrame === undefined ? "endFrame" : "startFrame";
    throw new InvalidParams(
      [...path, field],
      `the clip would have no length: startFrame must be less than endFrame (${start} >= ${end})`,
    );
  }
  const body = sliceBody(place.body, start - place.start, end - start);
  checkBody(body, path, "startFrame");
  replace(draft, place, start, body);
}

/** `clip.slip`: other sound at the same place. */
export function slipClip(draft: TimelineDraft, edit: Of<"clip.slip">, path: EditPath): void {
  const place = draft.clip(edit.clipId, path);
  const body = changeBody(place.body, { sourceFrame: edit.sourceFrame });
  checkBody(body, path);
  replace(draft, place, place.start, body);
}

/**
 * `clip.split`: the left keeps id and fade-in, the right gets the fade-out, the cut has none. Of a grouped clip the right part, and what of
 * its segment begins at the cut or behind it, is another segment (`segments.ts` has the rule).
 */
export function splitClip(draft: TimelineDraft, edit: Of<"clip.split">, path: EditPath): void {
  const place = draft.clip(edit.clipId, path);
  const { start, body, trackIndex } = place;
  const end = start + body.lengthFrames;
  const { atFrame, newClipId } = edit;
  if (atFrame <= start || atFrame >= end) {
    throw new InvalidParams(
      [...path, "atFrame"],
      `must be inside the clip, which is [${start}, ${end}), got ${atFrame}`,
    );
  }
  if (newClipId !== undefined) draft.checkNewClipId(newClipId, [...path, "newClipId"]);
  const clipId = newClipId ?? draft.newClipId();
  const groupId = body.groupId === undefined
    ? undefined
    : draft.rightGroup(body.groupId, atFrame, rightPartBefore(draft, body.groupId, atFrame));
  const identity = { clipId, groupId };
  const right = sliceBody(body, atFrame - start, end - atFrame, { left: true }, identity);
  replace(draft, place, start, sliceBody(body, 0, atFrame - start, { right: true }));
  const { blocks } = draft.tracks[trackIndex];
  // Ahead of a clip that starts on the cut: that one was the later in order, and stays so.
  draft.setBlocks(
    trackIndex,
    insertClip(blocks, { start: atFrame, body: right }, draft.context(trackIndex), true),
  );
  if (groupId !== undefined) {
    partSegments(draft, new Map([[body.groupId!, groupId]]), atFrame, draft.tracks.keys());
  }
}

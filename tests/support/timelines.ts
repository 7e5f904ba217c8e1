/**
 * Timelines to edit, short to write and to compare.
 *
 * @module
 */
import { applyEdits } from "../../engine/pulse/apply_edits.ts";
import { modelFromTimeline, type TimelineInput } from "../../engine/pulse/model_from_timeline.ts";
import { type TimelineModel, timelineOf } from "../../engine/pulse/timeline_model.ts";
import type { Clip, ClipInput, Edit, Timeline } from "../../engine/pulse/types.ts";

/** `[clipId, start, end, rest]`; a clip's source frame is its start, so that sound that stays in place keeps that. */
export type ShortClip = [clipId: string, start: number, end: number, rest?: Partial<ClipInput>];

export function clip([clipId, startFrame, end, rest]: ShortClip): ClipInput {
  return {
    clipId,
    assetId: "a",
    startFrame,
    lengthFrames: end - startFrame,
    sourceFrame: startFrame,
    ...rest,
  };
}

/** A timeline with a track a key. */
export function timeline(
  tracks: Record<string, ShortClip[]>,
  rest: Partial<Omit<Timeline, "tracks">> = {},
): TimelineInput {
  return {
    sampleRate: 48_000,
    ...rest,
    tracks: Object.entries(tracks).map(([trackId, clips]) => ({ trackId, clips: clips.map(clip) })),
  };
}

export function model(
  tracks: Record<string, ShortClip[]>,
  rest: Partial<Omit<Timeline, "tracks">> = {},
): TimelineModel {
  return modelFromTimeline(timeline(tracks, rest));
}

/** `trackId: id[start,end) id[start,end)@source`, a line a track; `@source` where the sound is not in its first place. */
export function show(state: TimelineModel | Timeline): string[] {
  const { tracks } = "index" in state ? timelineOf(state) : state;
  return tracks.map(({ trackId, clips }) => [`${trackId}:`, ...clips.map(showClip)].join(" "));
}

function showClip({ clipId, startFrame, lengthFrames, sourceFrame }: Clip): string {
  const place = `${clipId}[${startFrame},${startFrame + lengthFrames})`;
  return sourceFrame === startFrame ? place : `${place}@${sourceFrame}`;
}

/** After edits; new ids are `n-1`, `n-2`, … */
export function edited(state: TimelineModel, ...edits: Edit[]): TimelineModel {
  return applyEdits(state, edits, "n").model;
}

export function clipIn(state: TimelineModel, clipId: string): Clip {
  for (const { clips } of timelineOf(state).tracks) {
    for (const found of clips) if (found.clipId === clipId) return found;
  }
  throw new Error(`no clip ${clipId}`);
}

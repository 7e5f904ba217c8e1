/**
 * Checking a whole timeline in turns: at a hundred thousand clips it takes a fraction of a second.
 *
 * @module
 */
import { z } from "zod";
import { LIMITS } from "../limits.ts";
import type { Turns } from "../turns.ts";
import { ClipInputSchema } from "./clip.ts";
import { parseParams } from "./parse.ts";
import { takeAsChecked, TimelineInputSchema, TrackInputSchema } from "./timeline.ts";

type Checked = z.output<typeof TimelineInputSchema>;

const tracksOfAny = z.array(z.unknown()).max(LIMITS.tracks);
const clipsOfAny = z.array(z.unknown()).max(LIMITS.clips);

/** From so many clips on a timeline is worth being taken in turns. */
const LARGE_CLIPS = 2_048;

/** Whether something that may be a timeline has so many clips that it is taken in turns. */
export function isLargeTimeline(timeline: unknown): boolean {
  const { tracks } = (timeline ?? {}) as { tracks?: unknown };
  if (!Array.isArray(tracks)) return false;
  let clips = 0;
  for (const track of tracks) {
    if (Array.isArray(track?.clips)) clips += track.clips.length;
    if (clips >= LARGE_CLIPS) return true;
  }
  return false;
}

/**
 * What `TimelineInputSchema` gives. Others may have their turn at each `yield`; the timeline must not change meanwhile.
 *
 * @param path Where it stands in the request's params.
 * @throws {InvalidParams} with the path of the first fault.
 */
export function* checkingTimeline(
  timeline: unknown,
  path: readonly (string | number)[],
  turns: Turns,
): Generator<void, Checked> {
  if (typeof timeline !== "object" || timeline === null || !("tracks" in timeline)) {
    return parseParams(TimelineInputSchema, timeline, path);
  }
  const { tracks, ...members } = timeline;
  const checked = parseParams(TimelineInputSchema, { ...members, tracks: [] }, path);
  for (const [i, track] of parseParams(tracksOfAny, tracks, [...path, "tracks"]).entries()) {
    const place = [...path, "tracks", i];
    const { clips, ...header } = (track ?? {}) as { clips?: unknown };
    const isPlain = typeof track === "object" && track !== null && !Array.isArray(track);
    const taken = parseParams(TrackInputSchema, isPlain ? header : track, place);
    checked.tracks.push(taken);
    if (turns.isOver()) yield;
    if (clips === undefined) continue;
    taken.clips = [];
    for (const [j, clip] of parseParams(clipsOfAny, clips, [...place, "clips"]).entries()) {
      taken.clips.push(parseParams(ClipInputSchema, clip, [...place, "clips", j]));
      if (turns.isOver()) yield;
    }
  }
  takeAsChecked(checked);
  return checked;
}

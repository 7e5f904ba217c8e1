/**
 * What edits touch, where that can be told from them alone: so that steps of two clients that touch nothing in common may change places in
 * the undo history.
 *
 * @module
 */
import { clipOf } from "./clip_body.ts";
import { noChanges } from "./diff_models.ts";
import { replayChanges } from "./replay_changes.ts";
import { findClip, headerOf, type TimelineModel } from "./timeline_model.ts";
import type { Edit } from "./types.ts";

/** Keys of what edits touch: `clip <id>`, `track <id>` (its own members), `markers`, `io`. `null`: anything. */
export type Footprint = ReadonlySet<string> | null;

/** A drag touches little; what touches more is not looked into. */
const MOST_KEYS = 256;

/** What edits touch. Those of tracks as a whole, of ranges and of segments touch anything, and so does what splits a clip. */
export function footprintOf(edits: readonly Edit[]): Footprint {
  const keys = new Set<string>();
  for (const edit of edits) {
    const key = keyOf(edit);
    if (key === null || keys.size >= MOST_KEYS) return null;
    keys.add(key);
  }
  return keys;
}

function keyOf(edit: Edit): string | null {
  switch (edit.op) {
    case "clip.add":
      return edit.clip.clipId === undefined ? null : `clip ${edit.clip.clipId}`;
    case "clip.remove":
    case "clip.set":
    case "clip.move":
    case "clip.trim":
    case "clip.slip":
      return `clip ${edit.clipId}`;
    case "track.set":
      return `track ${edit.trackId}`;
    case "marker.add":
    case "marker.set":
    case "marker.remove":
      return "markers";
    case "io.set":
      return "io";
    default:
      return null;
  }
}

/** What either touches. */
export function joinFootprints(a: Footprint, b: Footprint): Footprint {
  if (a === null || b === null || a.size + b.size > 2 * MOST_KEYS) return null;
  return a.isSupersetOf(b) ? a : a.union(b);
}

/** `model` with what `keys` name as it stood in `then`. The tracks are the same in both. */
export function withThen(
  model: TimelineModel,
  then: TimelineModel,
  keys: ReadonlySet<string>,
): TimelineModel {
  const changes = noChanges();
  for (const key of keys) {
    if (key === "markers") changes.timeline = { ...changes.timeline, markers: [...then.markers] };
    else if (key === "io") {
      changes.timeline = { ...changes.timeline, ioPoints: then.ioPoints ?? null };
    } else if (key.startsWith("track ")) {
      const track = then.tracks.find(({ trackId }) => trackId === key.slice("track ".length));
      if (track !== undefined) changes.tracks.push(headerOf(track));
    } else {
      const clipId = key.slice("clip ".length);
      const was = findClip(then, clipId);
      if (was !== undefined) {
        const { trackId } = then.tracks[was.trackIndex];
        changes.clips.push({ ...clipOf(was.body, was.start), trackId });
      } else if (findClip(model, clipId) !== undefined) changes.removed.clipIds.push(clipId);
    }
  }
  return replayChanges(model, changes);
}

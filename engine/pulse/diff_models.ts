/**
 * What differs between two timelines, as `changes` of the interface: found by identity, so that its cost is that of the blocks that
 * differ and a walk over the places of the others.
 *
 * @module
 */
import { type ClipBody, clipOf, sameJson } from "./clip_body.ts";
import { diffTrack } from "./diff_track.ts";
import { headerOf, type TimelineModel, type TimelineTrack } from "./timeline_model.ts";
import type { ChangedClip, Changes, Frames, TrackHeader } from "./types.ts";

/** Nothing changed. */
export function noChanges(): Changes {
  return { removed: { trackIds: [], clipIds: [] }, shifted: [], tracks: [], clips: [] };
}

/** True where `changes` say nothing. */
export function isNoChange(changes: Changes): boolean {
  const { removed, shifted, tracks, trackOrder, clips, timeline } = changes;
  return removed.trackIds.length === 0 && removed.clipIds.length === 0 && shifted.length === 0 &&
    tracks.length === 0 && trackOrder === undefined && clips.length === 0 && timeline === undefined;
}

/**
 * The changes that make `before` into `after`, both ways round: an undo is the difference to what stood before.
 *
 * A removed track takes its clips along: these are not listed. `applyChanges` says how a client applies them.
 */
export function diffModels(before: TimelineModel, after: TimelineModel): Changes {
  const changes = noChanges();
  if (before === after) return changes;
  if (before.tracks !== after.tracks) diffTracks(before.tracks, after.tracks, changes);
  const timeline: NonNullable<Changes["timeline"]> = {};
  if (!sameJson(before.ioPoints, after.ioPoints)) timeline.ioPoints = after.ioPoints ?? null;
  if (before.markers !== after.markers && !sameJson(before.markers, after.markers)) {
    timeline.markers = [...after.markers];
  }
  if (!sameJson(before.frameRate, after.frameRate)) timeline.frameRate = after.frameRate ?? null;
  if (before.sampleRate !== after.sampleRate) timeline.sampleRate = after.sampleRate;
  if (!sameJson(before.meta, after.meta)) timeline.meta = after.meta ?? null;
  if (Object.keys(timeline).length > 0) changes.timeline = timeline;
  return changes;
}

function diffTracks(
  allBefore: readonly TimelineTrack[],
  allAfter: readonly TimelineTrack[],
  changes: Changes,
): void {
  // Tracks at both ends that are the same objects say nothing.
  const least = Math.min(allBefore.length, allAfter.length);
  let first = 0;
  while (first < least && allBefore[first] === allAfter[first]) first++;
  let last = 0;
  while (last < least - first && allBefore.at(-1 - last) === allAfter.at(-1 - last)) last++;
  const before = allBefore.slice(first, allBefore.length - last);
  const after = allAfter.slice(first, allAfter.length - last);
  const old = new Map(before.map((track) => [track.trackId, track]));
  const stays = new Set(after.map(({ trackId }) => trackId));
  changes.removed.trackIds = before.filter(({ trackId }) => !stays.has(trackId))
    .map(({ trackId }) => trackId);
  changes.tracks = after.filter((track) => {
    const was = old.get(track.trackId);
    return was === undefined || was !== track && !sameHeader(was, track);
  }).map(headerOf);
  const added = after.filter(({ trackId }) => !old.has(trackId));
  // A client adds tracks below all others.
  const mirrored = [...before.filter(({ trackId }) => stays.has(trackId)), ...added];
  if (
    last > 0 && added.length > 0 ||
    mirrored.some(({ trackId }, i) => trackId !== after[i].trackId)
  ) {
    changes.trackOrder = allAfter.map(({ trackId }) => trackId);
  }

  const gone = new Set<string>();
  const here = new Set<string>();
  const list = (trackId: string) => (body: ClipBody, start: Frames) => {
    changes.clips.push({ ...clipOf(body, start), trackId } as ChangedClip);
  };
  for (const track of after) {
    const { trackId } = track;
    const was = old.get(trackId)?.blocks ?? [];
    if (was === track.blocks) continue;
    const { shifted } = diffTrack(was, track.blocks, gone, here, list(trackId));
    for (const shift of shifted) changes.shifted.push({ trackId, ...shift });
  }
  changes.removed.clipIds = [...gone].filter((clipId) => !here.has(clipId));
}

function sameHeader(a: TimelineTrack, b: TimelineTrack): boolean {
  const { blocks: _a, ...headerA } = a;
  const { blocks: _b, ...headerB } = b;
  return sameJson(headerA satisfies TrackHeader, headerB satisfies TrackHeader);
}

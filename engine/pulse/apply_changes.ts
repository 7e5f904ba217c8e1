/**
 * How a client follows a timeline: `changes` applied to its mirror of it.
 *
 * @module
 */
import type { Changes, Clip, Timeline, Track } from "./types.ts";

/**
 * The timeline after `changes`, in the interface's words; `timeline` stays as it is.
 *
 * In this order: tracks and clips of `removed` go (a track with its clips); each of `shifted` in turn moves the clips of its track that
 * start at or after `fromFrame`; each of `tracks` sets a track's own members or adds the track below the others; `trackOrder` orders
 * the tracks; each of `clips` in turn leaves where it was and goes onto its track behind all clips that start at or before it; the
 * members of `timeline` are set, where `null`, or no markers, takes one away.
 *
 * @example
 * ```ts
 * import { applyChanges } from "./apply_changes.ts";
 *
 * const timeline = { sampleRate: 48_000, tracks: [] };
 * const changes = {
 *   removed: { trackIds: [], clipIds: [] },
 *   shifted: [],
 *   tracks: [{ trackId: "t", name: "Voice", gainDb: 0, pan: 0, mute: false, solo: false }],
 *   clips: [],
 * };
 * console.log(applyChanges(timeline, changes).tracks.length); // 1
 * ```
 */
export function applyChanges(timeline: Timeline, changes: Changes): Timeline {
  const { removed, shifted, tracks, trackOrder, clips } = changes;
  const removedTracks = new Set(removed.trackIds);
  const leaving = new Set([...removed.clipIds, ...clips.map(({ clipId }) => clipId)]);
  let next: Track[] = timeline.tracks.filter(({ trackId }) => !removedTracks.has(trackId))
    .map((track) => ({
      ...track,
      clips: leaving.size === 0
        ? track.clips
        : track.clips.filter(({ clipId }) => !leaving.has(clipId)),
    }));
  const byId = new Map(next.map((track) => [track.trackId, track]));

  for (const { trackId, fromFrame, byFrames } of shifted) {
    const track = byId.get(trackId)!;
    track.clips = track.clips.map((clip) =>
      clip.startFrame < fromFrame ? clip : { ...clip, startFrame: clip.startFrame + byFrames }
    );
  }
  for (const trackId of new Set(shifted.map((shift) => shift.trackId))) {
    byId.get(trackId)!.clips.sort((a, b) => a.startFrame - b.startFrame);
  }
  for (const header of tracks) {
    const track: Track = { ...header, clips: byId.get(header.trackId)?.clips ?? [] };
    const i = next.findIndex(({ trackId }) => trackId === header.trackId);
    if (i < 0) next.push(track);
    else next[i] = track;
    byId.set(header.trackId, track);
  }
  if (trackOrder !== undefined) next = trackOrder.map((trackId) => byId.get(trackId)!);
  addClips(byId, clips);
  return { ...withMembers(timeline, changes.timeline), tracks: next };
}

/** Puts clips onto their tracks, a track's together: in order of their starts, one behind all that start with it. */
function addClips(tracks: ReadonlyMap<string, Track>, clips: Changes["clips"]): void {
  const added = new Map<string, Clip[]>();
  for (const { trackId, ...clip } of clips) {
    const list = added.get(trackId);
    if (list === undefined) added.set(trackId, [clip]);
    else list.push(clip);
  }
  for (const [trackId, list] of added) {
    const track = tracks.get(trackId)!;
    list.sort((a, b) => a.startFrame - b.startFrame);
    const merged: Clip[] = [];
    let i = 0;
    for (const clip of list) {
      while (i < track.clips.length && track.clips[i].startFrame <= clip.startFrame) {
        merged.push(track.clips[i++]);
      }
      merged.push(clip);
    }
    while (i < track.clips.length) merged.push(track.clips[i++]);
    track.clips = merged;
  }
}

function withMembers(timeline: Timeline, set: Changes["timeline"]): Timeline {
  if (set === undefined) return timeline;
  const next: Timeline = { ...timeline };
  if (set.sampleRate !== undefined) next.sampleRate = set.sampleRate;
  if (set.ioPoints === null) delete next.ioPoints;
  else if (set.ioPoints !== undefined) next.ioPoints = set.ioPoints;
  if (set.frameRate === null) delete next.frameRate;
  else if (set.frameRate !== undefined) next.frameRate = set.frameRate;
  if (set.markers?.length === 0) delete next.markers;
  else if (set.markers !== undefined) next.markers = set.markers;
  if (set.meta === null) delete next.meta;
  else if (set.meta !== undefined) next.meta = set.meta;
  return next;
}

/**
 * Which tracks use an asset, and how much of it: for sharing out what fetching it took.
 *
 * @module
 */
import type { TimelineBlock } from "./block_list.ts";
import type { TimelineModel } from "./timeline_model.ts";

/** By asset and track, frames that clips play. */
export type TrackFrames = ReadonlyMap<string, ReadonlyMap<string, number>>;

const framesOfBlock = new WeakMap<TimelineBlock, ReadonlyMap<string, number>>();

function framesOf(block: TimelineBlock): ReadonlyMap<string, number> {
  const known = framesOfBlock.get(block);
  if (known !== undefined) return known;
  const frames = new Map<string, number>();
  for (const { body } of block.clips) {
    frames.set(body.assetId, (frames.get(body.assetId) ?? 0) + body.lengthFrames);
  }
  framesOfBlock.set(block, frames);
  return frames;
}

const framesOfTracks = new WeakMap<TimelineModel["tracks"], TrackFrames>();

/** Frames that each track's clips play of each asset. Costs a walk over blocks for each new model, and over clips for each new block. */
export function trackFrames({ tracks }: Pick<TimelineModel, "tracks">): TrackFrames {
  const known = framesOfTracks.get(tracks);
  if (known !== undefined) return known;
  const frames = walkTracks(tracks);
  framesOfTracks.set(tracks, frames);
  return frames;
}

function walkTracks(tracks: TimelineModel["tracks"]): TrackFrames {
  const all = new Map<string, Map<string, number>>();
  for (const { trackId, blocks } of tracks) {
    for (const { block } of blocks) {
      for (const [assetId, frames] of framesOf(block)) {
        let byTrack = all.get(assetId);
        if (byTrack === undefined) all.set(assetId, byTrack = new Map());
        byTrack.set(trackId, (byTrack.get(trackId) ?? 0) + frames);
      }
    }
  }
  return all;
}

/** What fetching took. */
export interface Impact {
  readMs: number;
  decodeMs: number;
  bytes: number;
}

/**
 * What fetching each asset took, shared out among its tracks by how many frames of it each one's clips play: so the tracks' sum is what was
 * spent on assets that the timeline has.
 */
export function trackImpacts(
  fetched: ReadonlyMap<string, Readonly<Impact>>,
  frames: TrackFrames,
): Map<string, Impact> {
  const impacts = new Map<string, Impact>();
  for (const [assetId, { readMs, decodeMs, bytes }] of fetched) {
    const byTrack = frames.get(assetId);
    if (byTrack === undefined || readMs + decodeMs + bytes === 0) continue;
    let all = 0;
    for (const n of byTrack.values()) all += n;
    for (const [trackId, n] of byTrack) {
      const share = n / all;
      const impact = impacts.get(trackId) ?? { readMs: 0, decodeMs: 0, bytes: 0 };
      impacts.set(trackId, impact);
      impact.readMs += readMs * share;
      impact.decodeMs += decodeMs * share;
      impact.bytes += bytes * share;
    }
  }
  return impacts;
}

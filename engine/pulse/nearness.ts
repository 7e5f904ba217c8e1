/**
 * Which assets a head comes to first: the order in which a project's files are opened. Values to values.
 *
 * @module
 */
import { hasSolo, trackGains } from "../signal/gains.ts";
import { clipsWithin } from "./block_range.ts";
import type { DemandHead } from "./demand.ts";
import type { TimelineModel } from "./timeline_model.ts";
import { sorting, Turns } from "./turns.ts";
import type { Frames } from "./types.ts";

/** What lies behind the head is as far as what lies so many times that far ahead. */
const BEHIND = 4;
/** What is muted is as far as what comes so many seconds later. */
const MUTED_SECONDS = 10;
/** Clips that are looked at in one turn: together a fraction of a millisecond. */
const CLIPS_A_TURN = 256;

type Tracks = Pick<TimelineModel, "sampleRate" | "tracks">;

/** Frames that a head plays until it comes to `[start, end)`, over the end of its loop if that is shorter; 0 where it stands in it. */
export function distanceOf(start: Frames, end: Frames, head: DemandHead): Frames {
  const { positionFrame: at, loop } = head;
  const straight = end > at ? Math.max(0, start - at) : BEHIND * (at - end + 1);
  const wraps = loop.enabled && at < loop.endFrame && start < loop.endFrame &&
    end > loop.startFrame;
  if (!wraps) return straight;
  return Math.min(straight, loop.endFrame - at + Math.max(0, start - loop.startFrame));
}

/** Assets of the timeline's clips, each once, those that the head comes to first first. Others may have their turn at each `yield`. */
export function* byNearness(model: Tracks, head: DemandHead): Generator<void, string[]> {
  const turns = new Turns(CLIPS_A_TURN);
  const distances = new Map<string, Frames>();
  const isSoloed = hasSolo(model);
  for (const track of model.tracks) {
    const isHeard = trackGains(track, isSoloed).some((gain) => gain > 0);
    const later = isHeard ? 0 : MUTED_SECONDS * model.sampleRate;
    for (const { start, block } of track.blocks) {
      for (const { at, body } of block.clips) {
        const from = start + at;
        const distance = later + distanceOf(from, from + body.lengthFrames, head);
        const known = distances.get(body.assetId);
        if (known === undefined || distance < known) distances.set(body.assetId, distance);
        if (turns.isOver()) yield;
      }
    }
  }
  const sorted = yield* sorting(distances, ([, distance]) => distance, turns);
  const assetIds: string[] = [];
  for (const [assetId] of sorted) {
    assetIds.push(assetId);
    if (turns.isOver()) yield;
  }
  return assetIds;
}

/**
 * Assets of which a head plays frames within `frames` from where it stands, over the end of its loop too, in order of the tracks; at most
 * about `most`.
 */
export function assetsNear(
  { tracks }: Tracks,
  { positionFrame, loop }: DemandHead,
  frames: Frames,
  most: number,
): Set<string> {
  const runs = [[positionFrame, positionFrame + frames]];
  if (loop.enabled && positionFrame < loop.endFrame && positionFrame + frames > loop.endFrame) {
    const over = positionFrame + frames - loop.endFrame;
    runs.push([loop.startFrame, Math.min(loop.startFrame + over, loop.endFrame)]);
  }
  const found = new Set<string>();
  for (const [from, to] of runs) {
    for (const { blocks } of tracks) {
      if (found.size >= most) return found;
      clipsWithin(blocks, from, to, (_start, { assetId }) => {
        if (found.size < most) found.add(assetId);
      });
    }
  }
  return found;
}

/**
 * A model of a whole timeline that a client gives (`timeline.set`, import, a file).
 *
 * @module
 */
import { EngineError, InvalidParams } from "../errors.ts";
import { type ClipBody, copyMeta } from "./clip_body.ts";
import { markerOf } from "./edits/marker_edits.ts";
import { ClipIndex } from "./clip_index.ts";
import { IdMaker } from "./id_maker.ts";
import { LIMITS } from "./limits.ts";
import {
  blockSteps,
  type BodySource,
  itemSteps,
  type TimelineModel,
  type TimelineTrack,
  trackOf,
} from "./timeline_model.ts";
import { atOnce, Turns } from "./turns.ts";
import type { ClipInput, Timeline, TrackHeader } from "./types.ts";

/** A timeline as a client gives it: optional members may be left out. */
export type TimelineInput = Omit<Timeline, "tracks"> & {
  tracks: (Partial<TrackHeader> & { trackId: string; clips?: ClipInput[] })[];
};

/**
 * The model of a timeline. Clips, blocks and tracks that `previous` has just so stay the same objects.
 *
 * @param seed Of ids that are left out.
 * @throws {InvalidParams} with the path under `path` where ids repeat or a clip is impossible.
 * @throws {EngineError} `limit.exceeded` for too many clips.
 */
export function modelFromTimeline(
  timeline: TimelineInput,
  previous?: TimelineModel,
  seed = "0",
  path: readonly (string | number)[] = ["timeline"],
): TimelineModel {
  return atOnce(modelSteps(timeline, previous, seed, path, new Turns(Infinity)));
}

/** {@linkcode modelFromTimeline} in turns: what it is given and what it makes stay the same meanwhile. */
export function* modelSteps(
  timeline: TimelineInput,
  previous: TimelineModel | undefined,
  seed: string,
  path: readonly (string | number)[],
  turns: Turns,
): Generator<void, TimelineModel> {
  const index = ClipIndex.empty.draft();
  const given = new Set<string>();
  for (const { clips } of timeline.tracks) {
    for (const { clipId } of clips ?? []) {
      if (turns.isOver()) yield;
      if (clipId !== undefined) given.add(clipId);
    }
  }
  const ids = new IdMaker(seed, (id) => given.has(id) || index.get(id) !== undefined);
  const known = yield* bodiesOf(previous, turns);
  const source: BodySource = {
    newClipId: () => ids.next(),
    known: (clipId) => known.get(clipId),
    isTaken: (clipId) => index.get(clipId) !== undefined,
  };
  const seenTracks = new Set<string>();
  let clipCount = 0;
  const tracks: TimelineTrack[] = [];
  for (const [i, input] of timeline.tracks.entries()) {
    const { trackId, clips = [] } = input;
    if (seenTracks.has(trackId)) {
      throw new InvalidParams(
        [...path, "tracks", i, "trackId"],
        `the id ${JSON.stringify(trackId)} stands twice`,
      );
    }
    seenTracks.add(trackId);
    clipCount += clips.length;
    if (clipCount > LIMITS.clips) {
      throw new EngineError(
        "limit.exceeded",
        `Cannot set the timeline: more than ${LIMITS.clips} clips`,
        {
          limit: "clips",
          maximum: LIMITS.clips,
        },
      );
    }
    const old = previous?.tracks.find((track) => track.trackId === trackId);
    const clipsPath = [...path, "tracks", i, "clips"];
    const items = yield* asInvalid(itemSteps(clips, source, clipsPath, turns));
    const blocks = yield* blockSteps(old?.blocks, items, { trackId, index }, turns);
    const track = trackOf(input, blocks);
    tracks.push(old !== undefined && sameTrack(old, track) ? old : track);
  }
  const markerIds = new Set<string>();
  const markers = (timeline.markers ?? []).map((marker, i) => {
    if (markerIds.has(marker.markerId)) {
      throw new InvalidParams(
        [...path, "markers", i, "markerId"],
        `the id ${JSON.stringify(marker.markerId)} stands twice`,
      );
    }
    markerIds.add(marker.markerId);
    return markerOf(marker);
  });
  return {
    sampleRate: timeline.sampleRate,
    ...(timeline.frameRate && { frameRate: { ...timeline.frameRate } }),
    tracks,
    ...(timeline.ioPoints && { ioPoints: { ...timeline.ioPoints } }),
    markers,
    ...(timeline.meta !== undefined && timeline.meta !== null && { meta: copyMeta(timeline.meta) }),
    index: index.done(),
  };
}

function* bodiesOf(
  model: TimelineModel | undefined,
  turns: Turns,
): Generator<void, Map<string, ClipBody>> {
  const bodies = new Map<string, ClipBody>();
  for (const { blocks } of model?.tracks ?? []) {
    for (const { block } of blocks) {
      if (turns.isOver(block.clips.length)) yield;
      for (const { body } of block.clips) bodies.set(body.clipId, body);
    }
  }
  return bodies;
}

/** A whole timeline that contradicts itself is a wrong request, not a conflict with another. */
function* asInvalid<T>(making: Generator<void, T>): Generator<void, T> {
  try {
    return yield* making;
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== "timeline.conflict") throw error;
    throw new InvalidParams(
      error.details.path as (string | number)[],
      `the id ${JSON.stringify(error.details.clipId)} stands twice`,
    );
  }
}

function sameTrack(a: TimelineTrack, b: TimelineTrack): boolean {
  return a.blocks === b.blocks && a.name === b.name && a.gainDb === b.gainDb && a.pan === b.pan &&
    a.mute === b.mute && a.solo === b.solo && JSON.stringify(a.meta) === JSON.stringify(b.meta);
}

/**
 * A timeline that has very many clips in the next minute.
 *
 * @module
 */
import { modelFromTimeline } from "../../engine/pulse/model_from_timeline.ts";
import type { TimelineModel } from "../../engine/pulse/timeline_model.ts";

export const DENSE_TRACKS = 10;
export const DENSE_CLIPS = 100_000;
export const DENSE_ASSETS = 5;
const MINUTE = 60 * 48_000;

/** {@linkcode DENSE_TRACKS} tracks of a minute at 48 kHz that play without a pause, each stretch of the assets `a0` … once. */
export function denseTimeline(): TimelineModel {
  const perTrack = DENSE_CLIPS / DENSE_TRACKS;
  const lengthFrames = MINUTE / perTrack;
  return modelFromTimeline({
    sampleRate: 48_000,
    tracks: Array.from({ length: DENSE_TRACKS }, (_, t) => ({
      trackId: `t${t}`,
      clips: Array.from({ length: perTrack }, (_, i) => ({
        clipId: `c${t}-${i}`,
        assetId: `a${t % DENSE_ASSETS}`,
        startFrame: i * lengthFrames,
        lengthFrames,
        sourceFrame: t * MINUTE + i * lengthFrames,
      })),
    })),
  });
}

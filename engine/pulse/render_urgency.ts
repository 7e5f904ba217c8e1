/**
 * How soon the render of some clips is wanted. Values to values.
 *
 * @module
 */
import type { Intent } from "./anticipation.ts";
import { findClip, type TimelineModel } from "./timeline_model.ts";
import type { Frames } from "./types.ts";

/** Clips of a render that are looked at: what is cut into many pieces has some of them everywhere. */
const MOST_CLIPS = 256;
/** What lies behind the head is needed later than what lies as far ahead of it. */
const BEHIND = 4;

export interface UrgencyInput {
  readonly model: TimelineModel;
  readonly headFrame: Frames;
  readonly intents: readonly Intent[];
}

/**
 * Seconds until the nearest of the clips is played, roughly; below zero what is selected or seen.
 *
 * @returns `Infinity` if the timeline has none of them.
 */
export function urgencyOf(
  clipIds: Iterable<string>,
  { model, headFrame, intents }: UrgencyInput,
): number {
  let least = Infinity;
  let looked = 0;
  const selected = new Set(intents.flatMap(({ selectedClipIds = [] }) => selectedClipIds));
  for (const clipId of clipIds) {
    if (looked++ >= MOST_CLIPS) break;
    const found = findClip(model, clipId);
    if (found === undefined) continue;
    if (selected.has(clipId)) return -2;
    const { start, body: { lengthFrames } } = found;
    const end = start + lengthFrames;
    const isSeen = intents.some(({ visible }) =>
      visible !== undefined && start < visible.endFrame && end > visible.startFrame
    );
    const ahead = Math.max(0, start - headFrame);
    const behind = Math.max(0, headFrame - end);
    const seconds = (ahead + behind * BEHIND) / model.sampleRate;
    // Of what is seen, the nearest first too.
    least = Math.min(least, isSeen ? -1 / (1 + seconds) : seconds);
  }
  return least;
}

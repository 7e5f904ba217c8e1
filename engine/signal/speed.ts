/**
 * Where a clip plays its source: exact positions at any rate.
 *
 * Positions and rates that sound are multiples of 2⁻²⁴ frames. So `sourceFrame + k·rate` is exact in doubles, up to frame 2²⁹ of a source (three hours at
 * 48 kHz; beyond that it is off by parts of 2⁻²⁴), and the parts of a clip that was cut play just what the whole did.
 *
 * @module
 */
import type { Frames, MixClipBody } from "./model.ts";

/** Least and greatest rate of a clip. */
export const MIN_RATE = 1 / 16;
export const MAX_RATE = 16;

/** Parts of a frame that are told apart. */
const PARTS = 2 ** 24;

/** The rate at which a clip sounds that is given `rate`. */
export function soundingRate(rate: number): number {
  return Math.round(rate * PARTS) / PARTS;
}

/** The place in a source from which a clip sounds that is given `sourceFrame`. */
export function soundingFrame(sourceFrame: number): number {
  return Math.round(sourceFrame * PARTS) / PARTS;
}

/** Whether a clip is silent for its rate's sake: nothing of its source is needed. */
export function isSilent({ rate, speedMode }: Pick<MixClipBody, "rate" | "speedMode">): boolean {
  return speedMode === "mute" && soundingRate(rate) !== 1;
}

/** How a clip goes through its source. */
export interface SourcePath {
  /** Where its first frame stands in the source. */
  readonly first: number;
  /** By how much each further frame stands beyond the one before it; below 0 backwards. */
  readonly step: number;
}

/** The way of a clip through its source: its frame `k` plays the source at `first + k·step`. */
export function sourcePath(
  { sourceFrame, lengthFrames, rate, reverse }: Pick<
    MixClipBody,
    "sourceFrame" | "lengthFrames" | "rate" | "reverse"
  >,
): SourcePath {
  const first = soundingFrame(sourceFrame);
  const step = soundingRate(rate);
  // From its end: the frame that would be played last comes first.
  return reverse ? { first: first + (lengthFrames - 1) * step, step: -step } : { first, step };
}

/**
 * The `sourceFrame` of the part of a clip that lasts `partFrames` from `offsetFrames` after its begin, so that it plays what the clip plays there.
 *
 * @param offsetFrames May be negative.
 */
export function slicedSourceFrame(
  clip: Pick<MixClipBody, "sourceFrame" | "lengthFrames" | "rate" | "reverse">,
  offsetFrames: Frames,
  partFrames: Frames,
): number {
  const skipped = clip.reverse ? clip.lengthFrames - offsetFrames - partFrames : offsetFrames;
  if (skipped === 0) return clip.sourceFrame;
  return soundingFrame(clip.sourceFrame) + skipped * soundingRate(clip.rate);
}

/** How far the native filter of a way reaches beyond its places (`ffi/native/speed_table.h`), or a little more; 0 where frames are played as they are. */
export function reachOf({ first, step }: SourcePath): Frames {
  const rate = Math.abs(step);
  if (rate === 1 && Number.isInteger(first)) return 0;
  return Math.ceil(80 * Math.max(1, rate) * 2 ** (1 / 32)) + 8;
}

/** What frames `[from, to)` of a clip need of its source, in whole frames of it: `from < to`. */
export function sourceSpan(
  path: SourcePath,
  from: Frames,
  to: Frames,
): { from: Frames; to: Frames } {
  const one = Math.floor(path.first + from * path.step);
  const other = Math.floor(path.first + (to - 1) * path.step);
  const reach = reachOf(path);
  return { from: Math.min(one, other) - reach, to: Math.max(one, other) + 1 + reach };
}

/**
 * Folding buckets of a peak image: any run of its finest buckets, exactly, from the fewest buckets of any level.
 *
 * @module
 */
import type { PeakImage } from "./peak_image.ts";
import { LEVEL_FACTOR } from "./peak_layout.ts";

/** What a fold gathers; start with {@linkcode emptyFold} and add as many runs as belong together. */
export interface Fold {
  min: number;
  max: number;
  /** Sum of squares. */
  squares: number;
  frames: number;
}

/** Nothing gathered yet. */
export function emptyFold(): Fold {
  return { min: Infinity, max: -Infinity, squares: 0, frames: 0 };
}

/**
 * Adds the buckets [start, end) of the finest level of one plane to `into`. They must be filled.
 *
 * Ragged ends are taken from a level, then what lies between from the next coarser one, where it has a quarter of the buckets: the
 * result is that of folding each bucket of the finest level, whatever the length of the run.
 */
export function foldBuckets(
  image: PeakImage,
  plane: number,
  start: number,
  end: number,
  into: Fold,
): void {
  for (let index = 0; start < end; index++) {
    const level = image.levels[index];
    const next = image.levels[index + 1];
    // The last bucket of a level is as long as the file lets it be: its end needs no ragged buckets.
    const atEnd = end === level.buckets;
    const up = next === undefined ? Infinity : Math.ceil(start / LEVEL_FACTOR);
    const upEnd = next === undefined ? 0 : atEnd ? next.buckets : Math.floor(end / LEVEL_FACTOR);
    if (up >= upEnd) {
      addRun(image, index, plane, start, end, into);
      return;
    }
    addRun(image, index, plane, start, up * LEVEL_FACTOR, into);
    if (!atEnd) addRun(image, index, plane, upEnd * LEVEL_FACTOR, end, into);
    start = up;
    end = upEnd;
  }
}

function addRun(
  image: PeakImage,
  index: number,
  plane: number,
  start: number,
  end: number,
  into: Fold,
): void {
  if (start >= end) return;
  const level = image.levels[index];
  const { min, max, rms, scale } = level.planes[plane];
  let low = min[start];
  let high = max[start];
  let squares = 0;
  const last = end - 1;
  for (let i = start; i < last; i++) {
    if (min[i] < low) low = min[i];
    if (max[i] > high) high = max[i];
    squares += rms[i] * rms[i];
  }
  if (min[last] < low) low = min[last];
  if (max[last] > high) high = max[last];
  const lastFrames = image.bucketFrames(level, last);
  into.squares += squares * level.framesPerBucket + rms[last] * rms[last] * lastFrames;
  into.frames += (last - start) * level.framesPerBucket + lastFrames;
  into.min = Math.min(into.min, low * scale);
  into.max = Math.max(into.max, high * scale);
}

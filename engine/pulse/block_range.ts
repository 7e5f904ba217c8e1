/**
 * Clips of a stretch of a track, found without walking over the others.
 *
 * @module
 */
import { BLOCK_CLIPS } from "../signal/model.ts";
import type { Blocks, TimelineBlock } from "./block_list.ts";
import type { ClipBody } from "./clip_body.ts";
import type { Frames } from "./types.ts";

/** Of each clip of a block and all before it: where the last of them ends, relative to the block. Found once a block. */
const ends = new WeakMap<TimelineBlock, Float64Array>();

function endsOf(block: TimelineBlock): Float64Array {
  let known = ends.get(block);
  if (known === undefined) {
    known = new Float64Array(block.clips.length);
    let end = 0;
    block.clips.forEach(({ at, body }, i) => {
      known![i] = end = Math.max(end, at + body.lengthFrames);
    });
    ends.set(block, known);
  }
  return known;
}

/** First index whose end lies behind `frame`. */
function firstThatReaches(ends: Float64Array, frame: Frames): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle] <= frame) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Calls back with each clip that has frames in `[from, to)`, in order, and where it starts. Other blocks cost a comparison each, their clips nothing.
 */
export function clipsWithin(
  blocks: Blocks,
  from: Frames,
  to: Frames,
  onClip: (start: Frames, body: ClipBody) => void,
): void {
  for (const { start, block } of blocks) {
    if (start >= to) return;
    if (start + block.maxEnd <= from) continue;
    for (let i = firstThatReaches(endsOf(block), from - start); i < block.clips.length; i++) {
      const { at, body } = block.clips[i];
      if (start + at >= to) break;
      if (start + at + body.lengthFrames > from) onClip(start + at, body);
    }
  }
}

/** Whether a clip has frames in `[from, to)`. */
export function isAnyWithin(blocks: Blocks, from: Frames, to: Frames): boolean {
  for (const { start, block } of blocks) {
    if (start >= to) return false;
    if (start + block.maxEnd <= from) continue;
    // Those before it have ended, those behind it begin later.
    const first = firstThatReaches(endsOf(block), from - start);
    if (first < block.clips.length && start + block.clips[first].at < to) return true;
  }
  return false;
}

/** Whether more clips than `most` may have frames in `[from, to)`, by the blocks that meet it. */
export function isMoreThan(blocks: Blocks, from: Frames, to: Frames, most: number): boolean {
  let count = 0;
  for (const { start, block } of blocks) {
    if (start >= to || count > most + 2 * BLOCK_CLIPS) break;
    if (start + block.maxEnd > from) count += block.clips.length;
  }
  // The first and the last of them lie there in part.
  return count > most + 2 * BLOCK_CLIPS;
}

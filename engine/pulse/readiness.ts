/**
 * Where playback would begin at once, as columns of a drawing. Values to values; what is resident is asked of Signal by
 * `services/readiness.ts`.
 *
 * @module
 */
import { checkColumnRange, type ColumnRange, columnSamples } from "../media/columns.ts";
import type { MixClipBody, MixTrack } from "../signal/model.ts";
import type { SourceStretch } from "../signal/signal_api.ts";
import { asIs, type PlayedOf } from "../signal/played.ts";
import { isSilent, sourcePath } from "../signal/speed.ts";
import type { Frames } from "./types.ts";

/** What a column is, by its number: the greater takes precedence. */
export const INSTANT = 0;
export const PENDING = 1;
export const OFFLINE = 2;

/** The letters of {@linkcode writeColumns}, by what they stand for. */
export const LETTERS = "ipo";

/** Columns of a range of the timeline. */
export interface ColumnGrid {
  /** First frame of each column, and the one after its last. Columns narrower than a frame show the frame under their left edge. */
  readonly first: Float64Array<ArrayBuffer>;
  readonly end: Float64Array<ArrayBuffer>;
}

/**
 * The columns of `[start, end)`, fractions allowed.
 *
 * @throws {RangeError} If it is empty, not finite or has too many columns.
 */
export function columnGrid(range: ColumnRange): ColumnGrid {
  checkColumnRange(range);
  return columnSamples(range);
}

/** `[first, past)`: the columns that show some of the frames `[from, to)`. */
export function columnsWithin({ first, end }: ColumnGrid, from: Frames, to: Frames) {
  return [firstWhere(end, (value) => value > from), firstWhere(first, (value) => value >= to)];
}

/** Index of the first value of an ascending array that passes; its length if none does. */
function firstWhere(values: Float64Array, passes: (value: number) => boolean): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(values[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What a track's clips play in `[start, end)`, muted or not. Costs a look a block, and one a clip of the blocks that meet the range. */
export function* stretchesWithin(
  { blocks }: MixTrack<MixClipBody>,
  start: Frames,
  end: Frames,
  played: PlayedOf = asIs,
): Generator<SourceStretch> {
  for (const { start: blockStart, block } of blocks) {
    if (blockStart >= end) return;
    if (blockStart + block.maxEnd <= start) continue;
    for (const { at, body: clip } of block.clips) {
      const body = played(clip);
      const clipStart = blockStart + at;
      if (clipStart >= end) return;
      const clipEnd = clipStart + body.lengthFrames;
      if (clipEnd <= start || isSilent(body)) continue;
      // Whole frames, as Signal plays them.
      const fromFrame = Math.max(Math.floor(start), clipStart);
      const { first, step } = sourcePath(body);
      yield {
        assetId: body.assetId,
        fromFrame,
        toFrame: Math.min(end, clipEnd),
        sourceFrame: first + (fromFrame - clipStart) * step,
        step,
      };
    }
  }
}

/** Columns as text, a letter each. */
export function writeColumns(columns: Uint8Array): string {
  let text = "";
  for (let at = 0; at < columns.length;) {
    let next = at + 1;
    while (next < columns.length && columns[next] === columns[at]) next++;
    text += LETTERS[columns[at]].repeat(next - at);
    at = next;
  }
  return text;
}

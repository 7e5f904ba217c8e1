/**
 * Answers to "what does this range look like in so many columns".
 *
 * Three ways, by the width of a column:
 *
 * - **512 samples or fewer**: each column is reduced from the samples.
 * - **up to 4,096**: from the samples where it cuts a bucket of 256, from the buckets between. Still exact.
 * - **wider**: from the buckets of the coarsest level that has 16 of them a column. An edge inside a bucket moves to the nearer end of it, by
 *   1/32 of a column at most; so an overview of a file of any length reads little, and no sample.
 *
 * Where all edges are multiples of 256 the answer comes from buckets alone and is exact, whatever the width.
 *
 * @module
 */
import { checkColumnRange, type ColumnRange, columnSamples, columnWidth } from "./columns.ts";
import { Fold } from "./fold.ts";
import type { PeakImage } from "./peak_image.ts";
import { BASE_FRAMES, LEVEL_FACTOR, planesOf } from "./peak_layout.ts";
import { FLOATS_PER_PLANE, type Scan } from "./scan.ts";

/** Columns of at most so many samples are reduced from samples alone. */
const SAMPLES_BELOW = 512;
/** Columns of fewer samples than this are exact whatever their edges. */
const EXACT_BELOW = 4096;
/** Wider ones are drawn from buckets of which there are at least so many a column. */
const BUCKETS_A_COLUMN = EXACT_BELOW / BASE_FRAMES;
/** Columns drawn between two looks at the clock. */
const CLOCK_EVERY = 32;

/** Which planes are asked for: every channel, the mono mix, or some channels by number. */
export type ChannelSelection = "all" | "mix" | readonly number[];

export interface PeakQuery extends ColumnRange {
  /** `all` unless told. */
  channels?: ChannelSelection;
}

/** Columns, plane after plane; NaN where nothing is known yet. Values are in −1 … 1, beyond it where samples are. */
export interface PeakColumns extends ColumnRange {
  min: Float32Array<ArrayBuffer>[];
  max: Float32Array<ArrayBuffer>[];
  rms: Float32Array<ArrayBuffer>[];
  /** Every column is there, and as exact as its width promises. */
  complete: boolean;
}

/** What a query may draw on. */
export interface PeakSource {
  frames: number;
  channels: number;
  /** Peaks, as far as they are known. */
  image?: PeakImage;
  /** The file; without it narrow columns show whole buckets and the answer is not complete. */
  scan?: Scan;
}

/** When to stop reading samples. */
export interface Deadline {
  /** Milliseconds from the call on. */
  deadlineMs: number;
  now?: () => number;
}

/**
 * The planes that a selection names.
 *
 * @throws {RangeError} If it names a channel that is not there, or none.
 */
export function selectPlanes(channels: number, selection: ChannelSelection): number[] {
  if (selection === "mix") return [planesOf(channels) - 1];
  if (selection === "all") return Array.from({ length: channels }, (_, c) => c);
  if (selection.length === 0 || selection.length > 64) {
    throw new RangeError(`Cannot select channels: 1 to 64 may be named (${selection.length})`);
  }
  for (const c of selection) {
    if (!Number.isInteger(c) || c < 0 || c >= channels) {
      throw new RangeError(
        `Cannot select channel ${c}: the file has channels 0 to ${channels - 1}`,
      );
    }
  }
  return [...selection];
}

/**
 * Draws the columns. What lies outside the file is silence.
 *
 * @throws {RangeError} If the query is out of range.
 * @throws {NativeError} If the file cannot be read any more.
 */
export function queryPeaks(
  source: PeakSource,
  query: PeakQuery,
  { deadlineMs, now = () => performance.now() }: Deadline,
): PeakColumns {
  checkColumnRange(query);
  const { start, end, width } = query;
  const selected = selectPlanes(source.channels, query.channels ?? "all");
  const plane = () => selected.map(() => new Float32Array(width).fill(NaN));
  const columns: PeakColumns = {
    start,
    end,
    width,
    min: plane(),
    max: plane(),
    rms: plane(),
    complete: true,
  };
  const painter = new Painter(source, selected, columns, edgeUnit(query) / BASE_FRAMES);
  const samples = columnSamples(query);
  const wide = fromBucketsAlone(query);
  let spentMs = 0;
  let lookedMs = now();
  for (let i = 0; i < width; i++) {
    if (!wide && i % CLOCK_EVERY === 0 && i > 0) {
      const nowMs = now();
      // Once may be the machine that stood still.
      spentMs += Math.min(nowMs - lookedMs, deadlineMs / 2);
      lookedMs = nowMs;
      if (spentMs > deadlineMs) {
        columns.complete = false;
        break;
      }
    }
    const first = Math.max(0, samples.first[i]);
    const last = Math.min(source.frames, samples.end[i]);
    if (first >= last) painter.silence(i);
    else if (wide || source.scan === undefined) painter.fromBuckets(i, first, last, !wide);
    else if (samples.end[i] - samples.first[i] <= SAMPLES_BELOW) {
      painter.fromSamples(i, first, last);
    } else painter.fromBoth(i, first, last);
  }
  return columns;
}

/** Whether the columns are drawn without reading samples. */
export function fromBucketsAlone(range: ColumnRange): boolean {
  return columnWidth(range) >= EXACT_BELOW || isAligned(range);
}

/** Whether all edges are multiples of the finest bucket. */
function isAligned(range: ColumnRange): boolean {
  return columnWidth(range) % BASE_FRAMES === 0 && range.start % BASE_FRAMES === 0;
}

/** What edges are rounded to where buckets alone are used: frames a bucket of some level. */
function edgeUnit(range: ColumnRange): number {
  let unit = BASE_FRAMES;
  if (isAligned(range)) return unit;
  const most = columnWidth(range) / BUCKETS_A_COLUMN;
  while (unit * LEVEL_FACTOR <= most) unit *= LEVEL_FACTOR;
  return unit;
}

/** Draws one column at a time. */
class Painter {
  readonly #folds: Fold[];
  readonly #scratch: Float32Array<ArrayBuffer>;
  readonly #last = { first: -1, end: -1 };

  constructor(
    readonly source: PeakSource,
    readonly selected: readonly number[],
    readonly columns: PeakColumns,
    /** Finest buckets that edges are rounded to. */
    readonly unit: number,
  ) {
    this.#folds = selected.map((plane) => new Fold(source.image, plane));
    this.#scratch = new Float32Array(planesOf(source.channels) * FLOATS_PER_PLANE);
  }

  silence(i: number): void {
    const { min, max, rms } = this.columns;
    for (let p = 0; p < this.selected.length; p++) min[p][i] = max[p][i] = rms[p][i] = 0;
  }

  /** From whole buckets, edges moved to the nearer ones; at least one. `rough`: it ought to have been exact. */
  fromBuckets(i: number, first: number, end: number, rough: boolean): void {
    const { image, frames } = this.source;
    const buckets = Math.ceil(frames / BASE_FRAMES);
    const unit = rough ? 1 : this.unit;
    const last = Math.ceil(buckets / unit) - 1;
    const at = first / (unit * BASE_FRAMES);
    const start = Math.min(rough ? Math.floor(at) : Math.round(at), last) * unit;
    const right = end === frames ? buckets : Math.round(end / (unit * BASE_FRAMES)) * unit;
    const stop = Math.min(Math.max(start + unit, right), buckets);
    if (image === undefined || stop > image.levels[0].filled) {
      this.columns.complete = false;
      return;
    }
    if (rough) this.columns.complete = false;
    this.#begin();
    this.#addBuckets(start, stop);
    this.#paint(i);
  }

  fromSamples(i: number, first: number, end: number): void {
    const { min, max, rms } = this.columns;
    if (i > 0 && first === this.#last.first && end === this.#last.end) {
      for (let p = 0; p < this.selected.length; p++) {
        min[p][i] = min[p][i - 1];
        max[p][i] = max[p][i - 1];
        rms[p][i] = rms[p][i - 1];
      }
      return;
    }
    this.#last.first = first;
    this.#last.end = end;
    this.#begin();
    this.#addSamples(first, end);
    this.#paint(i);
  }

  /** From buckets where they are known and lie wholly in the column, from samples elsewhere. */
  fromBoth(i: number, first: number, end: number): void {
    const { image, frames } = this.source;
    const left = Math.ceil(first / BASE_FRAMES);
    const right = end === frames ? Math.ceil(end / BASE_FRAMES) : Math.floor(end / BASE_FRAMES);
    this.#begin();
    if (image === undefined || left >= right || right > image.levels[0].filled) {
      this.#addSamples(first, end);
    } else {
      this.#addSamples(first, left * BASE_FRAMES);
      this.#addBuckets(left, right);
      this.#addSamples(right * BASE_FRAMES, end);
    }
    this.#paint(i);
  }

  #begin(): void {
    for (const fold of this.#folds) fold.reset();
  }

  #addBuckets(start: number, end: number): void {
    for (const fold of this.#folds) fold.addBuckets(start, end);
  }

  #addSamples(first: number, end: number): void {
    const frames = end - first;
    if (frames <= 0) return;
    const values = this.#scratch;
    if (this.source.scan!.peaks(first, frames, 1, values) !== 1) return; // cannot be: it is inside the file
    for (let p = 0; p < this.#folds.length; p++) {
      const at = this.selected[p] * FLOATS_PER_PLANE;
      this.#folds[p].addReduced(values[at], values[at + 1], values[at + 2], frames);
    }
  }

  #paint(i: number): void {
    const { min, max, rms } = this.columns;
    for (let p = 0; p < this.#folds.length; p++) {
      const fold = this.#folds[p];
      min[p][i] = fold.min;
      max[p][i] = fold.max;
      rms[p][i] = fold.rms;
    }
  }
}

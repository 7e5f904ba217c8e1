/**
 * Folding a plane of peaks: any run of its finest buckets, exactly, from the fewest buckets of any level.
 *
 * @module
 */
import type { PeakImage } from "./peak_image.ts";
import { BASE_FRAMES, LEVEL_FACTOR } from "./peak_layout.ts";

type Values = Int16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** Gathers runs of buckets and values of samples of one plane: reset it, add what belongs together, read it. */
export class Fold {
  min = Infinity;
  max = -Infinity;
  /** Sum of squares. */
  squares = 0;
  frames = 0;

  readonly #mins: Values[] = [];
  readonly #maxs: Values[] = [];
  readonly #rmss: Float32Array<ArrayBuffer>[] = [];
  readonly #counts: number[] = [];
  readonly #scale: number;
  readonly #fileFrames: number;

  /** @param image Without it only samples can be added. */
  constructor(image: PeakImage | undefined, plane: number) {
    for (const level of image?.levels ?? []) {
      const { min, max, rms } = level.planes[plane];
      this.#mins.push(min);
      this.#maxs.push(max);
      this.#rmss.push(rms);
      this.#counts.push(level.buckets);
    }
    this.#scale = image?.levels[0].planes[plane].scale ?? 1;
    this.#fileFrames = image?.subject.frames ?? 0;
  }

  get rms(): number {
    return Math.sqrt(this.squares / this.frames);
  }

  /** Forgets what was added. */
  reset(): void {
    this.min = Infinity;
    this.max = -Infinity;
    this.squares = 0;
    this.frames = 0;
  }

  /** Adds samples that were reduced elsewhere. */
  addReduced(min: number, max: number, rms: number, frames: number): void {
    if (min < this.min) this.min = min;
    if (max > this.max) this.max = max;
    this.squares += rms * rms * frames;
    this.frames += frames;
  }

  /**
   * Adds the buckets [start, end) of the finest level. They must be filled.
   *
   * Ragged ends are taken from a level, then what lies between from the next coarser one, where it has a quarter of the buckets: the
   * result is that of folding each bucket of the finest level, whatever the length of the run.
   */
  addBuckets(start: number, end: number): void {
    if (start >= end) return;
    this.frames += Math.min(end * BASE_FRAMES, this.#fileFrames) - start * BASE_FRAMES;
    const levels = this.#counts.length;
    for (let level = 0; start < end; level++) {
      const count = this.#counts[level];
      // The last bucket of a level is as long as the file lets it be: its end needs no ragged buckets.
      const atEnd = end === count;
      const up = Math.ceil(start / LEVEL_FACTOR);
      const upEnd = level + 1 === levels
        ? 0
        : atEnd
        ? this.#counts[level + 1]
        : Math.floor(end / LEVEL_FACTOR);
      if (up >= upEnd) {
        this.#addRun(level, start, end);
        return;
      }
      const rise = up * LEVEL_FACTOR;
      if (start < rise) this.#addRun(level, start, rise);
      const fall = upEnd * LEVEL_FACTOR;
      if (fall < end) this.#addRun(level, fall, end);
      start = up;
      end = upEnd;
    }
  }

  #addRun(level: number, start: number, end: number): void {
    const mins = this.#mins[level];
    const maxs = this.#maxs[level];
    const rmss = this.#rmss[level];
    const framesPerBucket = BASE_FRAMES * LEVEL_FACTOR ** level;
    let low = mins[start];
    let high = maxs[start];
    let squares = 0;
    for (let i = start; i < end; i++) {
      const min = mins[i];
      const max = maxs[i];
      const rms = rmss[i];
      if (min < low) low = min;
      if (max > high) high = max;
      squares += rms * rms;
    }
    this.squares += squares * framesPerBucket;
    if (end === this.#counts[level]) {
      // The last bucket counted as whole: take back what it lacks.
      const lack = end * framesPerBucket - this.#fileFrames;
      const rms = rmss[end - 1];
      this.squares -= rms * rms * lack;
    }
    low *= this.#scale;
    high *= this.#scale;
    if (low < this.min) this.min = low;
    if (high > this.max) this.max = high;
  }
}

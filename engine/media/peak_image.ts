/**
 * Peaks in memory, in the bytes of a peak file: what is being gathered and what was read back look the same.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { checkPeakFile, peakHeader, type PeakSubject } from "./peak_header.ts";
import { LEVEL_FACTOR, type PeakLayout, peakLayout } from "./peak_layout.ts";
import { FLOATS_PER_PLANE } from "./scan.ts";

/** One plane of one level, a value a bucket. `min` and `max` times `scale` are samples' values. */
export interface PeakPlane {
  readonly min: Int16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  readonly max: Int16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  readonly rms: Float32Array<ArrayBuffer>;
  readonly scale: number;
}

/** One level of the pyramid. */
export interface PeakLevel {
  readonly planes: readonly PeakPlane[];
  readonly buckets: number;
  readonly framesPerBucket: number;
  /** Buckets that are there, from the first on. */
  filled: number;
}

/** Peaks of one asset at all levels, filled from the left. */
export class PeakImage {
  /** Finest first. */
  readonly levels: readonly PeakLevel[];
  /** NaN and infinite samples; known when complete. */
  invalidSamples = 0;

  private constructor(
    readonly subject: PeakSubject,
    readonly layout: PeakLayout,
    readonly bytes: Uint8Array<ArrayBuffer>,
  ) {
    this.levels = layout.levels.map((level) => ({
      buckets: level.buckets,
      framesPerBucket: level.framesPerBucket,
      filled: 0,
      planes: level.planes.map(({ min, max, rms, compact }): PeakPlane => {
        const Values = compact ? Int16Array : Float32Array;
        return {
          min: new Values(bytes.buffer, min, level.buckets),
          max: new Values(bytes.buffer, max, level.buckets),
          rms: new Float32Array(bytes.buffer, rms, level.buckets),
          scale: compact ? 1 / 32768 : 1,
        };
      }),
    }));
  }

  /** An empty image. */
  static create(subject: PeakSubject): PeakImage {
    const layout = peakLayout(subject);
    return new PeakImage(subject, layout, new Uint8Array(layout.fileBytes));
  }

  /**
   * The image that a finished file holds, checked in full.
   *
   * @param bytes The file, alone in its buffer: the image keeps it.
   * @throws {PeakFileError} If it is damaged, or not about `subject`.
   */
  static open(bytes: Uint8Array<ArrayBuffer>, subject: PeakSubject): PeakImage {
    const { invalidSamples } = checkPeakFile(bytes, subject);
    const image = new PeakImage(subject, peakLayout(subject), bytes);
    image.invalidSamples = invalidSamples;
    for (const level of image.levels) level.filled = level.buckets;
    return image;
  }

  /** Frames that the finest level covers so far. */
  get analysedFrames(): number {
    const { filled, framesPerBucket } = this.levels[0];
    return Math.min(filled * framesPerBucket, this.subject.frames);
  }

  get complete(): boolean {
    return this.levels[0].filled === this.levels[0].buckets;
  }

  /**
   * Adds buckets of the finest level, as {@linkcode Scan.peaks} writes them, and what they complete of the others.
   *
   * @param peaks For each bucket, for each plane: min, max, rms.
   */
  append(peaks: Float32Array, buckets: number): void {
    const level = this.levels[0];
    const step = level.planes.length * FLOATS_PER_PLANE;
    level.planes.forEach((plane, p) => {
      const factor = 1 / plane.scale; // a power of two: exact
      const at = p * FLOATS_PER_PLANE;
      spread(peaks, at, step, factor, plane.min, level.filled, buckets);
      spread(peaks, at + 1, step, factor, plane.max, level.filled, buckets);
      spread(peaks, at + 2, step, 1, plane.rms, level.filled, buckets);
    });
    level.filled += buckets;
    for (let i = 1; i < this.levels.length; i++) this.#derive(i);
  }

  /** Frames of a bucket; the last one of a level may have fewer than the others. */
  bucketFrames(level: PeakLevel, bucket: number): number {
    return bucket < level.buckets - 1
      ? level.framesPerBucket
      : this.subject.frames - bucket * level.framesPerBucket;
  }

  /** Fills what a level can have from the one below. */
  #derive(index: number): void {
    const level = this.levels[index];
    const below = this.levels[index - 1];
    const end = below.filled === below.buckets
      ? level.buckets
      : Math.floor(below.filled / LEVEL_FACTOR);
    if (end === level.filled) return;
    // All buckets but a level's last are of equal length, and made of four of equal length.
    const whole = Math.min(end, level.buckets - 1);
    level.planes.forEach((plane, p) => {
      const from = below.planes[p];
      leastOfFour(from.min, plane.min, level.filled, whole);
      greatestOfFour(from.max, plane.max, level.filled, whole);
      meanSquareOfFour(from.rms, plane.rms, level.filled, whole);
      if (end > whole) this.#deriveLast(level, below, p);
    });
    level.filled = end;
  }

  /** The last bucket of a level: of one to four below, the last of which may be short. */
  #deriveLast(level: PeakLevel, below: PeakLevel, p: number): void {
    const bucket = level.buckets - 1;
    const { min, max, rms } = below.planes[p];
    const first = bucket * LEVEL_FACTOR;
    let low = min[first];
    let high = max[first];
    let squares = 0;
    for (let j = first; j < below.buckets; j++) {
      low = Math.min(low, min[j]);
      high = Math.max(high, max[j]);
      squares += rms[j] * rms[j] * this.bucketFrames(below, j);
    }
    const plane = level.planes[p];
    plane.min[bucket] = low;
    plane.max[bucket] = high;
    plane.rms[bucket] = Math.sqrt(squares / this.bucketFrames(level, bucket));
  }

  /** Writes the header of a complete image: `bytes` is then the file. A generator, since summing up a long one takes a while. */
  *seal(): Generator<void, void> {
    const { headerBytes } = this.layout;
    const slice = 1 << 23;
    let dataSum = 0;
    for (let at = headerBytes; at < this.bytes.length; at += slice) {
      dataSum = crc32(this.bytes.subarray(at, Math.min(at + slice, this.bytes.length)), dataSum);
      yield;
    }
    this.bytes.set(
      peakHeader(this.subject, { invalidSamples: this.invalidSamples, dataSum }),
    );
  }
}

type Values = Int16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** Every `step`-th value from `at` on, times `factor`, to `out` from `first` on. */
function spread(
  values: Float32Array,
  at: number,
  step: number,
  factor: number,
  out: Values,
  first: number,
  count: number,
): void {
  for (let i = first; i < first + count; i++, at += step) out[i] = values[at] * factor;
}

function leastOfFour(from: Values, to: Values, start: number, end: number): void {
  for (let i = start, j = start * 4; i < end; i++, j += 4) {
    const a = from[j] < from[j + 1] ? from[j] : from[j + 1];
    const b = from[j + 2] < from[j + 3] ? from[j + 2] : from[j + 3];
    to[i] = a < b ? a : b;
  }
}

function greatestOfFour(from: Values, to: Values, start: number, end: number): void {
  for (let i = start, j = start * 4; i < end; i++, j += 4) {
    const a = from[j] > from[j + 1] ? from[j] : from[j + 1];
    const b = from[j + 2] > from[j + 3] ? from[j + 2] : from[j + 3];
    to[i] = a > b ? a : b;
  }
}

function meanSquareOfFour(
  from: Float32Array,
  to: Float32Array,
  start: number,
  end: number,
): void {
  for (let i = start, j = start * 4; i < end; i++, j += 4) {
    const a = from[j];
    const b = from[j + 1];
    const c = from[j + 2];
    const d = from[j + 3];
    to[i] = Math.sqrt((a * a + b * b + c * c + d * d) / 4);
  }
}

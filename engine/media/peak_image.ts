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
      const { min, max, rms } = plane;
      let at = p * FLOATS_PER_PLANE;
      for (let i = level.filled; i < level.filled + buckets; i++, at += step) {
        min[i] = peaks[at] * factor;
        max[i] = peaks[at + 1] * factor;
        rms[i] = peaks[at + 2];
      }
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
    level.planes.forEach((plane, p) => {
      const from = below.planes[p];
      for (let i = level.filled; i < end; i++) {
        const first = i * LEVEL_FACTOR;
        const last = Math.min(first + LEVEL_FACTOR, below.buckets) - 1;
        let min = from.min[first];
        let max = from.max[first];
        let squares = 0;
        for (let j = first; j <= last; j++) {
          if (from.min[j] < min) min = from.min[j];
          if (from.max[j] > max) max = from.max[j];
          const frames = j < last ? below.framesPerBucket : this.bucketFrames(below, j);
          squares += from.rms[j] * from.rms[j] * frames;
        }
        plane.min[i] = min;
        plane.max[i] = max;
        plane.rms[i] = Math.sqrt(squares / this.bucketFrames(level, i));
      }
    });
    level.filled = end;
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

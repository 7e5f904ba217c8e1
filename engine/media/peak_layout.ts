/**
 * The peak file: what lies where.
 *
 * One file an asset, little-endian, written once. It can be mapped: planes are contiguous arrays at multiples of 64 bytes.
 *
 * | offset | type | |
 * |---|---|---|
 * | 0 | 8 bytes | `lp-peaks` |
 * | 8 | u32 | version of this layout, {@linkcode PEAK_VERSION} |
 * | 12 | u32 | bytes of the header, the level table included; the planes begin here |
 * | 16 | f64 | bytes of the whole file |
 * | 24 | f64 | frames of the asset |
 * | 32 | f64 | samples that were NaN or infinite |
 * | 40 | u32 | sample rate |
 * | 44 | u32 | channels |
 * | 48 | u32 | planes: the channels and, if there is more than one, the mono mix |
 * | 52 | u32 | frames a bucket of level 0: 256 |
 * | 56 | u32 | buckets of a level that make one of the next: 4 |
 * | 60 | u32 | levels; the last has one bucket |
 * | 64 | u32 | 1: min and max of channels are i16, of a value × 32768 (files of 16 bits and fewer, exact). 0: f32 |
 * | 68 | u32 | CRC-32 of everything behind the header |
 * | 72 | u32 | CRC-32 of the header, this field being 0 |
 * | 76 | u32 | 0 |
 * | 80 | 32 bytes | identity key of the asset's file (`identity.ts`) |
 * | 112 | 16 bytes | 0 |
 * | 128 | a level each | f64 offset of its first plane, f64 buckets, f64 frames a bucket, f64 bytes |
 *
 * A level is its planes in order; a plane is `min`, `max` (i16 or f32) and `rms` (f32), one value a bucket, each array at a multiple of 64
 * bytes. The mix is always f32: its values need a bit more than its channels'. One hour of 16-bit stereo at 48 kHz takes 25 MB.
 *
 * @module
 */

export const PEAK_MAGIC = "lp-peaks";
export const PEAK_VERSION = 1;
/** Frames a bucket of level 0. */
export const BASE_FRAMES = 256;
/** Buckets of a level that make one of the next. */
export const LEVEL_FACTOR = 4;
export const HEADER_BYTES = 128;
export const LEVEL_ENTRY_BYTES = 32;
const ALIGNMENT = 64;

/** What a layout follows from. */
export interface PeakShape {
  frames: number;
  channels: number;
  /** Whether min and max of channels are 16-bit integers. */
  compact: boolean;
}

/** Where a plane's arrays begin, in bytes. */
export interface PlaneLayout {
  min: number;
  max: number;
  rms: number;
  /** Whether `min` and `max` are i16. */
  compact: boolean;
}

export interface LevelLayout {
  offset: number;
  bytes: number;
  buckets: number;
  framesPerBucket: number;
  planes: PlaneLayout[];
}

export interface PeakLayout {
  headerBytes: number;
  fileBytes: number;
  planes: number;
  levels: LevelLayout[];
}

/** Planes of a file: the channels and, if there is more than one, the mono mix. */
export function planesOf(channels: number): number {
  return channels > 1 ? channels + 1 : 1;
}

/** Buckets of each level, finest first; the last is 1. */
export function levelBuckets(frames: number): number[] {
  const levels = [Math.max(1, Math.ceil(frames / BASE_FRAMES))];
  while (levels[levels.length - 1] > 1) {
    levels.push(Math.ceil(levels[levels.length - 1] / LEVEL_FACTOR));
  }
  return levels;
}

/** The layout of a file of this shape. */
export function peakLayout({ frames, channels, compact }: PeakShape): PeakLayout {
  const buckets = levelBuckets(frames);
  const headerBytes = align(HEADER_BYTES + buckets.length * LEVEL_ENTRY_BYTES);
  const planes = planesOf(channels);
  let at = headerBytes;
  const array = (bytes: number) => {
    const start = at;
    at = align(at + bytes);
    return start;
  };
  const levels = buckets.map((count, level): LevelLayout => {
    const offset = at;
    const layouts = Array.from({ length: planes }, (_, plane): PlaneLayout => {
      const small = compact && plane < channels;
      const bytes = count * (small ? 2 : 4);
      return { min: array(bytes), max: array(bytes), rms: array(count * 4), compact: small };
    });
    return {
      offset,
      bytes: at - offset,
      buckets: count,
      framesPerBucket: BASE_FRAMES * LEVEL_FACTOR ** level,
      planes: layouts,
    };
  });
  return { headerBytes, fileBytes: at, planes, levels };
}

function align(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}

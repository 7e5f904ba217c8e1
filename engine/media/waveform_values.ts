/**
 * The 16-bit values of a waveform in the BBC's format, bit for bit those of audiowaveform, which turns samples into 16-bit integers first:
 * wider integers lose their low bits, floats become `(short)(x * 32767)`. Its mono mix is the sum of those divided by their number, rounded
 * towards zero. Unlike there, floats beyond full scale are clamped, not wrapped.
 *
 * All conversions are monotonic, so that min and max may be taken first, on the samples themselves; but not that of a mix of samples
 * wider than 16 bits, where each sample is converted before the sum.
 *
 * @module
 */
import { EngineError } from "../errors.ts";
import { Fold } from "./fold.ts";
import type { PeakImage } from "./peak_image.ts";
import { BASE_FRAMES } from "./peak_layout.ts";
import { FLOATS_PER_PLANE, type Scan } from "./scan.ts";
import type { WaveformValues } from "./waveform_data.ts";

export interface WaveformRequest {
  /** 2 … 2^31 − 1. */
  samplesPerPixel: number;
  /** Every channel by itself, rather than their mono mix. */
  split: boolean;
}

/** The largest answer. */
export const MAX_WAVEFORM_BYTES = 2 ** 28;
/** Frames read in one step: a few milliseconds. */
const STEP_FRAMES = 1 << 19;

/**
 * @throws {RangeError} If `samplesPerPixel` is out of range.
 * @throws {EngineError} `limit.exceeded` if the answer would be larger than {@linkcode MAX_WAVEFORM_BYTES}.
 */
export function checkWaveformRequest(
  { samplesPerPixel, split }: WaveformRequest,
  { frames, channels }: { frames: number; channels: number },
): void {
  if (!Number.isInteger(samplesPerPixel) || samplesPerPixel < 2 || samplesPerPixel >= 2 ** 31) {
    throw new RangeError(
      `Cannot make a waveform: samplesPerPixel must be an integer from 2 to 2147483647 (${samplesPerPixel})`,
    );
  }
  const bytes = Math.ceil(frames / samplesPerPixel) * (split ? channels : 1) * 4;
  if (bytes > MAX_WAVEFORM_BYTES) {
    throw new EngineError(
      "limit.exceeded",
      `Cannot make a waveform of ${bytes} bytes: the limit is ${MAX_WAVEFORM_BYTES}; ask for more samples a pixel`,
      { limit: "waveformBytes", value: bytes, maximum: MAX_WAVEFORM_BYTES },
    );
  }
}

/** Whether the values can be taken from a complete peak image. */
export function imageHolds(image: PeakImage, request: WaveformRequest): boolean {
  const { channels, compact } = image.subject;
  return image.complete && request.samplesPerPixel % BASE_FRAMES === 0 &&
    (request.split || channels === 1 || compact);
}

/** A sample's value as audiowaveform's 16 bits. */
type ToShort = (value: number) => number;

/** Integers of any width, by their value in −1 … 1. */
const shortOfInteger: ToShort = (x) => clampShort(Math.floor(x * 32768));
const shortOfFloat: ToShort = (x) => clampShort(Math.trunc(Math.fround(x * 32767)));

function clampShort(x: number): number {
  return x > 32767 ? 32767 : x < -32768 ? -32768 : x;
}

/** The mix of `channels` 16-bit samples, from the exact mean of their values. */
function shortOfMix(channels: number): ToShort {
  return (x) => Math.trunc(Math.round(x * channels * 32768) / channels);
}

/** Values from a complete image; ask {@linkcode imageHolds} first. A generator that yields now and then. */
export function* waveformFromImage(
  image: PeakImage,
  request: WaveformRequest,
  isFloat: boolean,
): Generator<void, WaveformValues> {
  const { frames, channels, sampleRate } = image.subject;
  const mixed = !request.split && channels > 1;
  const planes = mixed ? [channels] : Array.from({ length: channels }, (_, c) => c);
  const convert = mixed ? shortOfMix(channels) : isFloat ? shortOfFloat : shortOfInteger;
  const step = request.samplesPerPixel / BASE_FRAMES;
  const pixels = Math.ceil(frames / request.samplesPerPixel);
  const data = new Int16Array(pixels * planes.length * 2);
  const buckets = image.levels[0].buckets;
  const folds = planes.map((plane) => new Fold(image, plane));
  let at = 0;
  for (let i = 0; i < pixels; i++) {
    for (const fold of folds) {
      fold.reset();
      fold.addBuckets(i * step, Math.min((i + 1) * step, buckets));
      data[at++] = convert(fold.min);
      data[at++] = convert(fold.max);
    }
    if (i % 8192 === 8191) yield;
  }
  return { sampleRate, samplesPerPixel: request.samplesPerPixel, channels: planes.length, data };
}

/** Values from the samples. A generator that yields every few milliseconds. */
export function waveformFromScan(
  scan: Scan,
  request: WaveformRequest,
): Generator<void, WaveformValues> {
  const { channels, encoding } = scan.info;
  const narrow = encoding === "s16" || encoding === "u8" || encoding === "s8";
  return !request.split && channels > 1 && !narrow
    ? mixOfSamples(scan, request)
    : fromReduced(scan, request);
}

/** Where min and max may be taken before the conversion. */
function* fromReduced(
  scan: Scan,
  { samplesPerPixel, split }: WaveformRequest,
): Generator<void, WaveformValues> {
  const { frames, channels, sampleRate, encoding } = scan.info;
  const mixed = !split && channels > 1;
  const first = mixed ? channels : 0;
  const count = mixed ? 1 : channels;
  const convert = mixed
    ? shortOfMix(channels)
    : encoding === "f32" || encoding === "f64"
    ? shortOfFloat
    : shortOfInteger;
  const pixels = Math.ceil(frames / samplesPerPixel);
  const data = new Int16Array(pixels * count * 2);
  const stride = scan.planes * FLOATS_PER_PLANE;
  // Few samples a pixel make many pixels a step, each of which costs a little by itself.
  const perStep = Math.max(1, Math.min(1 << 14, Math.floor(STEP_FRAMES / samplesPerPixel)));
  const peaks = new Float32Array(perStep * stride);
  let at = 0;
  for (let pixel = 0; pixel < pixels;) {
    const got = scan.peaks(pixel * samplesPerPixel, samplesPerPixel, perStep, peaks);
    for (let i = 0; i < got; i++) {
      for (let c = 0; c < count; c++) {
        const from = i * stride + (first + c) * FLOATS_PER_PLANE;
        data[at++] = convert(peaks[from]);
        data[at++] = convert(peaks[from + 1]);
      }
    }
    if (got === 0) break;
    pixel += got;
    yield;
  }
  return { sampleRate, samplesPerPixel, channels: count, data };
}

/** The mono mix of samples wider than 16 bits. */
function* mixOfSamples(
  scan: Scan,
  { samplesPerPixel }: WaveformRequest,
): Generator<void, WaveformValues> {
  const { frames, channels, sampleRate, encoding } = scan.info;
  const isFloat = encoding === "f32" || encoding === "f64";
  const pixels = Math.ceil(frames / samplesPerPixel);
  const data = new Int16Array(pixels * 2);
  const block = Math.floor(STEP_FRAMES / channels / 4);
  const samples = new Float32Array(block * channels);
  const sums = new Int32Array(block);
  let pixel = 0;
  let inPixel = 0;
  let low = 32767;
  let high = -32768;
  for (let start = 0; start < frames;) {
    const got = scan.read(start, block, samples);
    if (got === 0) break;
    sums.fill(0);
    for (let c = 0; c < channels; c++) {
      const plane = samples.subarray(c * block, c * block + got);
      if (isFloat) addFloats(sums, plane);
      else addIntegers(sums, plane);
    }
    for (let i = 0; i < got; i++) {
      const mean = (sums[i] / channels) | 0;
      if (mean < low) low = mean;
      if (mean > high) high = mean;
      if (++inPixel === samplesPerPixel) {
        data[2 * pixel] = low;
        data[2 * pixel + 1] = high;
        pixel++;
        inPixel = 0;
        low = 32767;
        high = -32768;
      }
    }
    start += got;
    yield;
  }
  if (inPixel > 0) {
    data[2 * pixel] = low;
    data[2 * pixel + 1] = high;
  }
  return { sampleRate, samplesPerPixel, channels: 1, data };
}

function addIntegers(sums: Int32Array, plane: Float32Array): void {
  for (let i = 0; i < plane.length; i++) sums[i] += shortOfInteger(plane[i]);
}

/** NaN and infinity count as 0, as everywhere. */
function addFloats(sums: Int32Array, plane: Float32Array): void {
  for (let i = 0; i < plane.length; i++) {
    if (Number.isFinite(plane[i])) sums[i] += shortOfFloat(plane[i]);
  }
}

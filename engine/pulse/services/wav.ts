/**
 * WAV files from blocks of samples: RIFF, and RF64 (EBU Tech 3306) where the file is longer than 32-bit sizes can say.
 *
 * @module
 */

/** Samples as they lie in the file: signed integers or IEEE floats, little-endian. */
export type SampleFormat = "s16" | "s24" | "f32";

/** What a file will hold; its length is known before its first byte is written. */
export interface WavShape {
  sampleFormat: SampleFormat;
  /** 1 … 65,535. */
  channels: number;
  /** In Hz. */
  sampleRate: number;
  lengthFrames: number;
}

/** Bytes of a sample. */
export const SAMPLE_BYTES: Readonly<Record<SampleFormat, number>> = { s16: 2, s24: 3, f32: 4 };

const WAVE_FORMAT_PCM = 0x0001;
const WAVE_FORMAT_IEEE_FLOAT = 0x0003;
const WAVE_FORMAT_EXTENSIBLE = 0xfffe;
/** Tail of KSDATAFORMAT_SUBTYPE_PCM and _IEEE_FLOAT, which begin with the format's own number. */
const SUBTYPE_TAIL = [0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71];
const MAX_32 = 0xffffffff;

/** Bytes of the file's samples, without the padding byte of an odd length. */
export function dataBytes(shape: WavShape): number {
  return shape.lengthFrames * shape.channels * SAMPLE_BYTES[shape.sampleFormat];
}

/**
 * Everything before the first sample. The sizes are final: a file that is cut short says more than it holds.
 *
 * Integers of at most 16 bits in one or two channels are plain PCM, floats in one or two channels `IEEE_FLOAT` with a `fact` chunk, all else
 * is extensible, as the format's rules ask ("Multiple channel audio data and WAVE files", Microsoft 2001).
 */
export function wavHeader(shape: WavShape): Uint8Array<ArrayBuffer> {
  const { sampleFormat, channels, sampleRate, lengthFrames } = shape;
  const float = sampleFormat === "f32";
  const sampleBytes = SAMPLE_BYTES[sampleFormat];
  const bits = sampleBytes * 8;
  const extensible = channels > 2 || (!float && bits > 16);
  const fmtBytes = extensible ? 40 : float ? 18 : 16;
  const factBytes = float ? 12 : 0;
  const plainHeaderBytes = 12 + 8 + fmtBytes + factBytes + 8;
  const bytes = dataBytes(shape);
  const padded = bytes + (bytes & 1 ? 1 : 0);
  const large = plainHeaderBytes - 8 + padded > MAX_32;
  const headerBytes = plainHeaderBytes + (large ? 36 : 0);

  const out = new Uint8Array(headerBytes);
  const view = new DataView(out.buffer);
  let at = 0;
  const u16 = (value: number) => (view.setUint16(at, value, true), at += 2);
  const u32 = (value: number) => (view.setUint32(at, value, true), at += 4);
  const u64 = (value: number) => (view.setBigUint64(at, BigInt(value), true), at += 8);
  const tag = (text: string) => {
    for (let i = 0; i < 4; i++) out[at++] = text.charCodeAt(i);
  };

  const riffBytes = headerBytes - 8 + padded;
  tag(large ? "RF64" : "RIFF");
  u32(large ? MAX_32 : riffBytes);
  tag("WAVE");
  if (large) {
    tag("ds64");
    u32(28);
    u64(riffBytes);
    u64(bytes);
    u64(lengthFrames);
    u32(0);
  }
  tag("fmt ");
  u32(fmtBytes);
  u16(extensible ? WAVE_FORMAT_EXTENSIBLE : float ? WAVE_FORMAT_IEEE_FLOAT : WAVE_FORMAT_PCM);
  u16(channels);
  u32(sampleRate);
  u32(sampleRate * channels * sampleBytes);
  u16(channels * sampleBytes);
  u16(bits);
  if (extensible) {
    u16(22);
    u16(bits);
    u32(channelMask(channels));
    u16(float ? WAVE_FORMAT_IEEE_FLOAT : WAVE_FORMAT_PCM);
    u16(0);
    out.set(SUBTYPE_TAIL, at);
    at += SUBTYPE_TAIL.length;
  } else if (float) {
    u16(0);
  }
  if (float) {
    tag("fact");
    u32(4);
    u32(large ? MAX_32 : lengthFrames);
  }
  tag("data");
  u32(large ? MAX_32 : bytes);
  return out;
}

/** Speakers of the usual layouts, by number of channels; 0 says nothing. */
function channelMask(channels: number): number {
  return [0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x13f, 0x63f][channels] ?? 0;
}

/** Turns blocks of floats into bytes of a format. One for each file, because dither has a state. */
export class SampleEncoder {
  #peak = 0;
  #random = 0x9e3779b9;

  /**
   * @param format What to write.
   * @param dither TPDF dither of ±1 LSB before rounding; integers only. The same samples always give the same bytes.
   */
  constructor(readonly format: SampleFormat, readonly dither = false) {}

  /** Greatest absolute value so far, linear, before rounding and clamping. */
  get peak(): number {
    return this.#peak;
  }

  /** The bytes of interleaved samples: integers are x·2^(bits−1), rounded once and clamped, NaN is 0; floats are a view of `samples`. */
  encode(samples: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    let peak = this.#peak;
    for (let i = 0; i < samples.length; i++) {
      const magnitude = Math.abs(samples[i]);
      if (magnitude > peak) peak = magnitude;
    }
    this.#peak = peak;
    if (this.format === "f32") return littleEndianFloats(samples);
    return this.format === "s16" ? this.#s16(samples) : this.#s24(samples);
  }

  #s16(samples: Float32Array): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(samples.length * 2);
    for (let i = 0, at = 0; i < samples.length; i++) {
      const value = this.#integer(samples[i], 32_768);
      out[at++] = value;
      out[at++] = value >> 8;
    }
    return out;
  }

  #s24(samples: Float32Array): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(samples.length * 3);
    for (let i = 0, at = 0; i < samples.length; i++) {
      const value = this.#integer(samples[i], 8_388_608);
      out[at++] = value;
      out[at++] = value >> 8;
      out[at++] = value >> 16;
    }
    return out;
  }

  #integer(sample: number, scale: number): number {
    const noise = this.dither ? this.#uniform() - this.#uniform() : 0;
    const value = Math.round(sample * scale + noise);
    if (value >= scale) return scale - 1;
    if (value < -scale) return -scale;
    return value | 0;
  }

  /** Xorshift (Marsaglia 2003), 0 ≤ x < 1. */
  #uniform(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return (x >>> 0) / 4_294_967_296;
  }
}

/** Deno runs on little-endian machines alone, where a float's bytes are already those of the file. */
function littleEndianFloats(samples: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

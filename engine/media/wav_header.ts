/**
 * What stands before the samples of a WAV file: RIFF, and RF64 (EBU Tech 3306) where the file is longer than 32-bit sizes can say.
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
 *
 * @param tailBytes Of chunks that follow the samples; even.
 */
export function wavHeader(shape: WavShape, tailBytes = 0): Uint8Array<ArrayBuffer> {
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
  const large = plainHeaderBytes - 8 + padded + tailBytes > MAX_32;
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

  const riffBytes = headerBytes - 8 + padded + tailBytes;
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

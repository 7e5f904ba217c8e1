/**
 * Audio files made by code: every container and encoding that the engine reads, honest or lying on request, with the floats that a
 * correct reader gets from them.
 *
 * Planes hold one value a frame: integers in the range of the encoding for `u8` … `s32` (`u8`: 0 … 255), numbers as they are for `f32`
 * and `f64`.
 *
 * @module
 */

/** A sample encoding, named as the engine reports it. */
export type Encoding = "u8" | "s8" | "s16" | "s24" | "s32" | "f32" | "f64";

/** Bytes of one sample in the file. */
export const SAMPLE_BYTES: Readonly<Record<Encoding, number>> = {
  u8: 1,
  s8: 1,
  s16: 2,
  s24: 3,
  s32: 4,
  f32: 4,
  f64: 8,
};

/** What a file holds. */
export interface AudioMaterial {
  /** Planes of equal length, channel after channel. */
  planes: readonly ArrayLike<number>[];
  encoding: Encoding;
  /** 48000 unless told. */
  sampleRate?: number;
}

/** A chunk of its own: four characters and a body (padded to an even length when written). */
export interface Chunk {
  id: string;
  body: Uint8Array;
}

/** A uniform generator in [0, 1): mulberry32, the same everywhere for a seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Random planes over the whole range of an encoding, both extremes among them.
 *
 * @param validBits Integers keep only this many bits, at the top of the encoding's.
 */
export function randomPlanes(
  seed: number,
  channels: number,
  frames: number,
  encoding: Encoding,
  validBits?: number,
): Float64Array<ArrayBuffer>[] {
  const random = seededRandom(seed);
  const bits = SAMPLE_BYTES[encoding] * 8;
  const step = 2 ** (bits - (validBits ?? bits));
  const lowest = encoding === "u8" ? 0 : -(2 ** (bits - 1));
  const value = (i: number) => {
    if (encoding === "f32") return Math.fround(random() * 2.4 - 1.2);
    if (encoding === "f64") return random() * 2.4 - 1.2;
    if (i === 3) return lowest;
    if (i === 5) return lowest + 2 ** bits - step;
    return lowest + Math.floor(random() * 2 ** bits / step) * step;
  };
  return Array.from(
    { length: channels },
    () => Float64Array.from({ length: frames }, (_, i) => value(i)),
  );
}

/** A sine at `amplitude` of full scale in an encoding, the same in each channel unless `phases` (in turns) says otherwise. */
export function sinePlanes(
  frequency: number,
  channels: number,
  frames: number,
  encoding: Encoding,
  { sampleRate = 48_000, amplitude = 0.5, phases = [] as readonly number[] } = {},
): Float64Array<ArrayBuffer>[] {
  const bits = SAMPLE_BYTES[encoding] * 8;
  const top = 2 ** (bits - 1) - 1;
  return Array.from(
    { length: channels },
    (_, c) =>
      Float64Array.from({ length: frames }, (_, i) => {
        const x = amplitude *
          Math.sin(2 * Math.PI * (frequency * i / sampleRate + (phases[c] ?? 0)));
        if (encoding === "f32") return Math.fround(x);
        if (encoding === "f64") return x;
        return Math.round(x * top) + (encoding === "u8" ? 128 : 0);
      }),
  );
}

/** The floats that a correct reader gets: `round_to_f32(x / 2^(bits-1))`, `u8` as `(x - 128) / 128` (DESIGN §13). */
export function expectedFloats(material: AudioMaterial): Float32Array<ArrayBuffer>[] {
  const { encoding } = material;
  const isFloat = encoding === "f32" || encoding === "f64";
  const scale = isFloat ? 1 : 2 ** (SAMPLE_BYTES[encoding] * 8 - 1);
  const offset = encoding === "u8" ? 128 : 0;
  return material.planes.map((plane) => Float32Array.from(plane, (x) => (x - offset) / scale));
}

/** The interleaved bytes of the samples alone. */
export function interleave(material: AudioMaterial, bigEndian = false): Uint8Array<ArrayBuffer> {
  const { planes, encoding } = material;
  const frames = planes[0]?.length ?? 0;
  const size = SAMPLE_BYTES[encoding];
  const bytes = new Uint8Array(frames * planes.length * size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let i = 0; i < frames; i++) {
    for (const plane of planes) {
      const x = plane[i];
      switch (encoding) {
        case "u8":
          view.setUint8(at, x);
          break;
        case "s8":
          view.setInt8(at, x);
          break;
        case "s16":
          view.setInt16(at, x, !bigEndian);
          break;
        case "s24":
          view.setUint8(at + (bigEndian ? 2 : 0), x & 255);
          view.setUint8(at + 1, (x >> 8) & 255);
          view.setUint8(at + (bigEndian ? 0 : 2), (x >> 16) & 255);
          break;
        case "s32":
          view.setInt32(at, x, !bigEndian);
          break;
        case "f32":
          view.setFloat32(at, x, !bigEndian);
          break;
        case "f64":
          view.setFloat64(at, x, !bigEndian);
          break;
      }
      at += size;
    }
  }
  return bytes;
}

/** How a WAV-like file is written, and where it lies. */
export interface WavOptions {
  /** `wav` unless told. `rifx` is big-endian. */
  container?: "wav" | "rifx" | "rf64" | "bw64";
  /** Writes a WAVEFORMATEXTENSIBLE. */
  extensible?: boolean;
  /** With `extensible`: valid bits a sample. */
  validBits?: number;
  channelMask?: number;
  /** Chunks before the format, between format and samples, and after the samples. */
  first?: readonly Chunk[];
  before?: readonly Chunk[];
  after?: readonly Chunk[];
  /** Leaves out the pad byte after chunks of odd length. */
  unpadded?: boolean;
  /** Fields of the format as they are to be written, true or not. */
  format?: {
    tag?: number;
    channels?: number;
    sampleRate?: number;
    blockAlign?: number;
    bits?: number;
  };
  /** The sample chunk's length as it is to be written: in its header (32 bits) and in `ds64` (64 bits). */
  dataBytes?: number;
  dataBytes64?: number;
  /** Leaves out the format or the sample chunk. */
  omit?: "format" | "data";
}

/** A WAV, RIFX, RF64 or BW64 file. */
export function makeWav(
  material: AudioMaterial,
  options: WavOptions = {},
): Uint8Array<ArrayBuffer> {
  const { container = "wav", unpadded = false } = options;
  const big = container === "rifx";
  const wide = container === "rf64" || container === "bw64";
  const data = interleave(material, big);
  const out = new Writer(big);
  out.text({ wav: "RIFF", rifx: "RIFX", rf64: "RF64", bw64: "BW64" }[container]);
  out.u32(0); // patched below
  out.text("WAVE");
  if (wide) {
    out.text("ds64");
    out.u32(28);
    out.u64(0); // patched below
    out.u64(options.dataBytes64 ?? data.length);
    out.u64(material.planes[0]?.length ?? 0);
    out.u32(0);
  }
  out.chunks(options.first ?? [], unpadded);
  if (options.omit !== "format") {
    const fmt = waveFormat(material, options, big);
    out.chunks([{ id: "fmt ", body: fmt }], unpadded);
  }
  out.chunks(options.before ?? [], unpadded);
  if (options.omit !== "data") {
    out.text("data");
    out.u32(options.dataBytes ?? (wide ? 0xFFFFFFFF : data.length));
    out.bytes(data);
    if (data.length % 2 === 1 && !unpadded) out.u8(0);
  }
  out.chunks(options.after ?? [], unpadded);
  const bytes = out.finish();
  const view = new DataView(bytes.buffer);
  if (wide) {
    view.setUint32(4, 0xFFFFFFFF, true);
    view.setBigUint64(20, BigInt(bytes.length - 8), true);
  } else {
    view.setUint32(4, bytes.length - 8, !big);
  }
  return bytes;
}

/** How a Wave64 file is written. */
export type W64Options =
  & Pick<WavOptions, "extensible" | "validBits" | "channelMask" | "format" | "omit">
  & {
    /** The length field of the sample chunk, its own 24 bytes included. */
    dataBytes?: bigint;
  };

/** A Sony Wave64 file. */
export function makeW64(
  material: AudioMaterial,
  options: W64Options = {},
): Uint8Array<ArrayBuffer> {
  const tail = [0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A];
  const data = interleave(material);
  const out = new Writer(false);
  const align = () => {
    while (out.length % 8 !== 0) out.u8(0);
  };
  out.text("riff");
  out.bytes([0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00]);
  out.u64(0); // patched below
  out.text("wave");
  out.bytes(tail);
  if (options.omit !== "format") {
    const fmt = waveFormat(material, options, false);
    out.text("fmt ");
    out.bytes(tail);
    out.u64(fmt.length + 24);
    out.bytes(fmt);
    align();
  }
  if (options.omit !== "data") {
    out.text("data");
    out.bytes(tail);
    out.u64(options.dataBytes ?? data.length + 24);
    out.bytes(data);
    align();
  }
  const bytes = out.finish();
  new DataView(bytes.buffer).setBigUint64(16, BigInt(bytes.length), true);
  return bytes;
}

/** How an AIFF or AIFC file is written, and where it lies. */
export interface AiffOptions {
  /** An AIFC of this kind (`NONE`, `twos`, `sowt`, `raw `, `in24`, `in32`, `42ni`, `23ni`, `fl32`, `FL32`, `fl64`, `FL64`, or one that is not read). */
  compression?: string;
  /** Valid bits, where they are fewer than the encoding's. */
  validBits?: number;
  /** Puts the common chunk behind the samples. */
  commonLast?: boolean;
  before?: readonly Chunk[];
  after?: readonly Chunk[];
  unpadded?: boolean;
  /** Bytes before the first frame, as SSND's offset says. */
  offset?: number;
  /** Fields as they are to be written, true or not. */
  claim?: {
    frames?: number;
    channels?: number;
    bits?: number;
    /** The ten bytes of the rate. */
    rate?: Uint8Array;
    dataBytes?: number;
    offset?: number;
  };
  omit?: "format" | "data";
}

/** An AIFF file, or an AIFC where `compression` is given. Samples are big-endian unless the kind says little. */
export function makeAiff(
  material: AudioMaterial,
  options: AiffOptions = {},
): Uint8Array<ArrayBuffer> {
  const { compression, claim = {}, unpadded = false, offset = 0 } = options;
  const little = ["sowt", "42ni", "23ni"].includes(compression ?? "");
  const data = interleave(material, !little);
  const bits = SAMPLE_BYTES[material.encoding] * 8;
  const comm = new Writer(true);
  comm.u16(claim.channels ?? material.planes.length);
  comm.u32(claim.frames ?? material.planes[0]?.length ?? 0);
  comm.u16(claim.bits ?? options.validBits ?? bits);
  comm.bytes(claim.rate ?? extended(material.sampleRate ?? 48_000));
  if (compression !== undefined) {
    comm.text(compression);
    comm.bytes([0, 0]); // an empty name, padded
  }
  const out = new Writer(true);
  out.text("FORM");
  out.u32(0); // patched below
  out.text(compression === undefined ? "AIFF" : "AIFC");
  if (compression !== undefined) {
    out.chunks([{ id: "FVER", body: Uint8Array.of(0xA2, 0x80, 0x51, 0x40) }], unpadded);
  }
  const common = [{ id: "COMM", body: comm.finish() }];
  if (options.omit !== "format" && !options.commonLast) out.chunks(common, unpadded);
  out.chunks(options.before ?? [], unpadded);
  if (options.omit !== "data") {
    out.text("SSND");
    out.u32(claim.dataBytes ?? data.length + 8 + offset);
    out.u32(claim.offset ?? offset);
    out.u32(0);
    out.bytes(new Uint8Array(offset).fill(0x55));
    out.bytes(data);
    if ((data.length + offset) % 2 === 1 && !unpadded) out.u8(0);
  }
  if (options.omit !== "format" && options.commonLast) out.chunks(common, unpadded);
  out.chunks(options.after ?? [], unpadded);
  const bytes = out.finish();
  new DataView(bytes.buffer).setUint32(4, bytes.length - 8);
  return bytes;
}

/** A rate ≥ 1 as an 80-bit extended number, big-endian. */
export function extended(rate: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  const exponent = Math.floor(Math.log2(rate));
  view.setUint16(0, 16383 + exponent);
  view.setBigUint64(2, BigInt(rate * 2 ** (52 - exponent)) << 11n); // 53 bits are all a double has
  return bytes;
}

/** The body of a `fmt ` chunk. */
function waveFormat(
  material: AudioMaterial,
  options: Pick<WavOptions, "extensible" | "validBits" | "channelMask" | "format">,
  big: boolean,
): Uint8Array<ArrayBuffer> {
  const { planes, encoding, sampleRate = 48_000 } = material;
  const isFloat = encoding === "f32" || encoding === "f64";
  const size = SAMPLE_BYTES[encoding];
  const claim = options.format ?? {};
  const tag = claim.tag ?? (isFloat ? 3 : 1);
  const channels = claim.channels ?? planes.length;
  const rate = claim.sampleRate ?? sampleRate;
  const block = claim.blockAlign ?? size * planes.length;
  const out = new Writer(big);
  out.u16(options.extensible ? 0xFFFE : tag);
  out.u16(channels);
  out.u32(rate);
  out.u32((rate * block) % 2 ** 32);
  out.u16(block);
  out.u16(claim.bits ?? size * 8);
  if (options.extensible) {
    out.u16(22);
    out.u16(options.validBits ?? size * 8);
    out.u32(options.channelMask ?? 0);
    out.u16(tag);
    out.bytes([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
  } else if (isFloat) {
    out.u16(0);
  }
  return out.finish();
}

/** Grows a file byte by byte. */
class Writer {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #big: boolean;

  constructor(bigEndian: boolean) {
    this.#big = bigEndian;
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }
  u16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value, !this.#big);
  }
  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, !this.#big);
  }
  u64(value: number | bigint): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), !this.#big);
  }
  text(value: string): void {
    this.bytes(new TextEncoder().encode(value));
  }
  bytes(value: ArrayLike<number>): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }
  chunks(chunks: readonly Chunk[], unpadded: boolean): void {
    for (const { id, body } of chunks) {
      this.text(id);
      this.u32(body.length);
      this.bytes(body);
      if (body.length % 2 === 1 && !unpadded) this.u8(0);
    }
  }
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Makes room for n bytes and returns where they go; replaces the buffer when it grows. */
  #room(n: number): number {
    const at = this.#length;
    this.#length += n;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

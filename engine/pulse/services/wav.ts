/**
 * Blocks of samples as bytes of a WAV file; what stands before them is `media/wav_header.ts`.
 *
 * @module
 */
import type { SampleFormat } from "../../media/wav_header.ts";

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

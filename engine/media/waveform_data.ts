/**
 * The BBC's waveform-data format, as audiowaveform writes it and peaks.js and waveform-data.js read it.
 *
 * `.dat`, little-endian: `int32 version` (1 for one channel, else 2), `uint32 flags` (bit 0: 8-bit values), `int32 sample_rate`,
 * `int32 samples_per_pixel`, `uint32 length` (pixels), in version 2 `int32 channels`; then for each pixel, for each channel, min and max.
 * JSON is always of version 2 and has the same values.
 *
 * @module
 */

/** Values of a waveform: 16-bit whatever they came from. */
export interface WaveformValues {
  sampleRate: number;
  samplesPerPixel: number;
  channels: number;
  /** For each pixel, for each channel: min, max. */
  data: Int16Array<ArrayBuffer>;
}

/** Bits a value. 8-bit ones are those of 16 divided by 256, rounded towards zero. */
export type WaveformBits = 8 | 16;

/** Pixels of a waveform. */
export function waveformLength({ data, channels }: WaveformValues): number {
  return data.length / (2 * channels);
}

/** The binary form. */
export function encodeWaveformDat(
  values: WaveformValues,
  bits: WaveformBits,
): Uint8Array<ArrayBuffer> {
  const { sampleRate, samplesPerPixel, channels, data } = values;
  const version = channels === 1 ? 1 : 2;
  const headerBytes = version === 1 ? 20 : 24;
  const bytes = new Uint8Array(headerBytes + data.length * (bits / 8));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, version, true);
  view.setUint32(4, bits === 8 ? 1 : 0, true);
  view.setInt32(8, sampleRate, true);
  view.setInt32(12, samplesPerPixel, true);
  view.setUint32(16, waveformLength(values), true);
  if (version === 2) view.setInt32(20, channels, true);
  if (bits === 16) {
    new Int16Array(bytes.buffer, headerBytes).set(data);
  } else {
    const out = new Int8Array(bytes.buffer, headerBytes);
    for (let i = 0; i < data.length; i++) out[i] = Math.trunc(data[i] / 256);
  }
  return bytes;
}

/** The JSON form, UTF-8; keys in audiowaveform's order. */
export function encodeWaveformJson(
  values: WaveformValues,
  bits: WaveformBits,
): Uint8Array<ArrayBuffer> {
  const { sampleRate, samplesPerPixel, channels, data } = values;
  const header = JSON.stringify({
    version: 2,
    channels,
    sample_rate: sampleRate,
    samples_per_pixel: samplesPerPixel,
    bits,
    length: waveformLength(values),
  });
  const list = (bits === 16 ? data : data.map((v) => Math.trunc(v / 256))).join(",");
  return new TextEncoder().encode(`${header.slice(0, -1)},"data":[${list}]}`);
}

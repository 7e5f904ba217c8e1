/**
 * Meters as API.md's binary frame.
 *
 * @module
 */
import type { MeterReading } from "../../signal/signal_api.ts";

/** First byte of a meters frame. */
export const METERS_KIND = 1;
const VERSION = 1;
const HEAD_BYTES = 28;
const CHANNELS = 2;
/** Tracks that a `u16` can count. */
const MAX_TRACKS = 0xffff;

/**
 * Packs a reading, little-endian.
 *
 * @param trackIds Tracks in the order of the reading's revision; one that was not rendered is silent.
 * @param sequence Counts frames sent, modulo 2^32.
 */
export function packMeters(
  reading: MeterReading,
  trackIds: readonly string[],
  sequence: number,
): Uint8Array<ArrayBuffer> {
  const tracks = Math.min(trackIds.length, MAX_TRACKS);
  const strips = tracks + 1;
  const view = new DataView(new ArrayBuffer(HEAD_BYTES + strips * 4 + strips * CHANNELS * 8));
  view.setUint8(0, METERS_KIND);
  view.setUint8(1, VERSION);
  view.setUint16(2, tracks, true);
  view.setUint32(4, sequence >>> 0, true);
  view.setFloat64(8, reading.audibleFrame, true);
  view.setFloat64(16, reading.timeMs, true);
  view.setUint32(24, reading.revision, true);
  let at = HEAD_BYTES;
  for (let strip = 0; strip < strips; strip++, at += 4) view.setUint32(at, CHANNELS, true);
  for (let strip = 0; strip < strips; strip++) {
    const meter = strip === 0 ? reading.master : reading.tracks.get(trackIds[strip - 1]);
    for (let channel = 0; channel < CHANNELS; channel++, at += 8) {
      view.setFloat32(at, meter?.peak[channel] ?? 0, true);
      view.setFloat32(at + 4, meter?.rms[channel] ?? 0, true);
    }
  }
  return new Uint8Array(view.buffer);
}

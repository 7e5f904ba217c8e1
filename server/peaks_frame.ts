/**
 * The binary peaks frame (API.md, "Notifications"), the same over WebSocket and HTTP.
 *
 * @module
 */
import type { PeaksColumns } from "../engine/api.ts";

const HEADER_BYTES = 32;
const KIND = 2;
const VERSION = 1;
const COMPLETE = 1;

/**
 * Columns as a frame: a header of 32 bytes, then for each channel its planes min, max and rms, each `width` f32, little-endian; NaN where not
 * analysed.
 */
export function encodePeaksFrame(columns: PeaksColumns, previewId = 0): Uint8Array<ArrayBuffer> {
  const { start, end, width, min, max, rms, complete } = columns;
  const channels = min.length;
  const bytes = new Uint8Array(HEADER_BYTES + channels * 3 * width * 4);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, KIND);
  view.setUint8(1, VERSION);
  view.setUint16(2, channels, true);
  view.setUint32(4, previewId, true);
  view.setFloat64(8, start, true);
  view.setFloat64(16, end, true);
  view.setUint32(24, width, true);
  view.setUint32(28, complete ? COMPLETE : 0, true);
  let at = HEADER_BYTES;
  for (let channel = 0; channel < channels; channel++) {
    for (const plane of [min[channel], max[channel], rms[channel]]) {
      for (let i = 0; i < width; i++, at += 4) view.setFloat32(at, plane[i], true);
    }
  }
  return bytes;
}

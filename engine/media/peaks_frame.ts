/**
 * Columns as they go over the wire: the binary peaks frame and the JSON form of API.md.
 *
 * @module
 */
import type { PeakColumns } from "./peak_query.ts";

/** What goes over the wire: planes of `width` values a channel, NaN where not analysed. */
type WireColumns =
  & Pick<PeakColumns, "start" | "end" | "width" | "complete">
  & Record<"min" | "max" | "rms", readonly Float32Array[]>;

/** First byte of a binary peaks frame. */
export const PEAKS_FRAME_KIND = 2;
const PEAKS_FRAME_VERSION = 1;
const HEADER_BYTES = 32;
const COMPLETE = 1;

/**
 * The binary frame: `u8 kind=2, u8 version=1, u16 channels, u32 previewId, f64 start, f64 end, u32 width, u32 flags` (bit 0 complete),
 * then f32 planes min, max, rms, channel after channel. Little-endian; the planes begin at byte 32.
 */
export function encodePeaksFrame(columns: WireColumns, previewId = 0): Uint8Array<ArrayBuffer> {
  const { start, end, width, min, max, rms, complete } = columns;
  const channels = min.length;
  const bytes = new Uint8Array(HEADER_BYTES + channels * 3 * width * 4);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, PEAKS_FRAME_KIND);
  view.setUint8(1, PEAKS_FRAME_VERSION);
  view.setUint16(2, channels, true);
  view.setUint32(4, previewId, true);
  view.setFloat64(8, start, true);
  view.setFloat64(16, end, true);
  view.setUint32(24, width, true);
  view.setUint32(28, complete ? COMPLETE : 0, true);
  const planes = new Float32Array(bytes.buffer, HEADER_BYTES);
  for (let c = 0; c < channels; c++) {
    planes.set(min[c], 3 * c * width);
    planes.set(max[c], (3 * c + 1) * width);
    planes.set(rms[c], (3 * c + 2) * width);
  }
  return bytes;
}

/**
 * Reads a binary frame.
 *
 * @throws {TypeError} If it is none.
 */
export function decodePeaksFrame(
  bytes: Uint8Array<ArrayBuffer>,
): PeakColumns & { previewId: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (
    bytes.length < HEADER_BYTES || view.getUint8(0) !== PEAKS_FRAME_KIND ||
    view.getUint8(1) !== PEAKS_FRAME_VERSION
  ) {
    throw new TypeError("Cannot decode the peaks frame: it does not start as one of version 1");
  }
  const channels = view.getUint16(2, true);
  const width = view.getUint32(24, true);
  if (bytes.length !== HEADER_BYTES + channels * 3 * width * 4) {
    throw new TypeError(`Cannot decode the peaks frame: it has ${bytes.length} bytes`);
  }
  const values = new Float32Array(bytes.slice(HEADER_BYTES).buffer);
  const planes = (kind: number) =>
    Array.from(
      { length: channels },
      (_, c) => values.slice((3 * c + kind) * width, (3 * c + kind + 1) * width),
    );
  return {
    previewId: view.getUint32(4, true),
    start: view.getFloat64(8, true),
    end: view.getFloat64(16, true),
    width,
    min: planes(0),
    max: planes(1),
    rms: planes(2),
    complete: (view.getUint32(28, true) & COMPLETE) !== 0,
  };
}

/** Columns as plain data: columns that are not known are `null`. */
export interface PeaksJson {
  start: number;
  end: number;
  width: number;
  /** Planes in the answer. */
  channels: number;
  complete: boolean;
  min: (number | null)[][];
  max: (number | null)[][];
  rms: (number | null)[][];
}

/** The JSON form. */
export function peaksToJson(columns: WireColumns): PeaksJson {
  const { start, end, width, min, max, rms, complete } = columns;
  const plain = (planes: readonly Float32Array[]) =>
    planes.map((plane) => Array.from(plane, (x) => Number.isNaN(x) ? null : x));
  return {
    start,
    end,
    width,
    channels: min.length,
    complete,
    min: plain(min),
    max: plain(max),
    rms: plain(rms),
  };
}

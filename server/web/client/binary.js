// @ts-check
import { FrameError } from "./errors.js";

/**
 * Decoders of the binary frames (API.md). Little-endian, as every platform with a browser is; the planes are views, not copies.
 *
 * @module
 */

const METERS_HEAD = 28;
const PEAKS_HEAD = 32;

/** @typedef {import("./interface.ts").ChannelLevels} ChannelLevels */
/** @typedef {import("./interface.ts").MetersFrame} MetersFrame */
/** @typedef {import("./interface.ts").PeaksFrame} PeaksFrame */

/**
 * @param {ArrayBuffer | ArrayBufferView} data
 * @returns {MetersFrame | PeaksFrame | null} null for a kind or version that this client does not know
 * @throws {FrameError} if it is not as long as it says
 */
export function decodeFrame(data) {
  const buffer = ArrayBuffer.isView(data) ? ownBytes(data) : data;
  if (buffer.byteLength < 2) {
    throw new FrameError(`Cannot decode a frame of ${buffer.byteLength} bytes: 2 are the least`);
  }
  const view = new DataView(buffer);
  if (view.getUint8(1) !== 1) return null;
  switch (view.getUint8(0)) {
    case 1:
      return decodeMeters(view);
    case 2:
      return decodePeaks(view);
    default:
      return null;
  }
}

/**
 * The bytes of a view by themselves: planes need to begin at multiples of four.
 *
 * @param {ArrayBufferView} view
 */
function ownBytes({ buffer, byteOffset, byteLength }) {
  const bytes = new Uint8Array(byteLength);
  bytes.set(new Uint8Array(buffer, byteOffset, byteLength));
  return bytes.buffer;
}

/**
 * @param {DataView} view
 * @param {string} what
 * @param {number} bytes
 * @param {"at least" | "exactly"} how
 */
function checkLength(view, what, bytes, how) {
  const { byteLength } = view;
  if (how === "exactly" ? byteLength === bytes : byteLength >= bytes) return;
  throw new FrameError(
    `Cannot decode ${what} of ${byteLength} bytes: it must have ${how} ${bytes}`,
  );
}

/**
 * @param {DataView} view
 * @returns {MetersFrame}
 */
function decodeMeters(view) {
  checkLength(view, "meters", METERS_HEAD, "at least");
  const strips = view.getUint16(2, true) + 1;
  let offset = METERS_HEAD + 4 * strips;
  checkLength(view, `meters of ${strips - 1} tracks`, offset, "at least");
  let channels = 0;
  for (let strip = 0; strip < strips; strip++) {
    channels += view.getUint32(METERS_HEAD + 4 * strip, true);
  }
  checkLength(view, `meters of ${channels} channels`, offset + 8 * channels, "exactly");
  const levels = Array.from({ length: strips }, (_, strip) => {
    const count = view.getUint32(METERS_HEAD + 4 * strip, true);
    /** @type {ChannelLevels} */
    const one = { peak: [], rms: [] };
    for (let channel = 0; channel < count; channel++, offset += 8) {
      one.peak.push(view.getFloat32(offset, true));
      one.rms.push(view.getFloat32(offset + 4, true));
    }
    return one;
  });
  return {
    kind: "meters",
    sequence: view.getUint32(4, true),
    audibleFrame: view.getFloat64(8, true),
    timeMs: view.getFloat64(16, true),
    revision: view.getUint32(24, true),
    master: levels[0],
    tracks: levels.slice(1),
  };
}

/**
 * @param {DataView} view
 * @returns {PeaksFrame}
 */
function decodePeaks(view) {
  checkLength(view, "peaks", PEAKS_HEAD, "at least");
  const channels = view.getUint16(2, true);
  const width = view.getUint32(24, true);
  checkLength(
    view,
    `peaks of ${channels} channels and ${width} columns`,
    PEAKS_HEAD + 12 * channels * width,
    "exactly",
  );
  /** @param {number} index */
  const plane = (index) =>
    new Float32Array(
      /** @type {ArrayBuffer} */ (view.buffer),
      PEAKS_HEAD + 4 * width * index,
      width,
    );
  const each = Array.from({ length: channels }, (_, channel) => channel);
  return {
    kind: "peaks",
    previewId: view.getUint32(4, true),
    start: view.getFloat64(8, true),
    end: view.getFloat64(16, true),
    width,
    complete: (view.getUint32(28, true) & 1) === 1,
    min: each.map((channel) => plane(3 * channel)),
    max: each.map((channel) => plane(3 * channel + 1)),
    rms: each.map((channel) => plane(3 * channel + 2)),
  };
}

/**
 * The header of a peak file (`peak_layout.ts` says what is where): writing and checking.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import {
  BASE_FRAMES,
  HEADER_BYTES,
  LEVEL_ENTRY_BYTES,
  LEVEL_FACTOR,
  PEAK_MAGIC,
  PEAK_VERSION,
  peakLayout,
  type PeakShape,
} from "./peak_layout.ts";

/** A peak file is not usable: damaged, cut short, of another version or about another file. It is to be rebuilt. */
export class PeakFileError extends Error {
  override name = "PeakFileError";
}

/** What a peak file is about. */
export interface PeakSubject extends PeakShape {
  sampleRate: number;
  /** Identity key of the asset's file, 32 bytes (`identity.ts`). */
  identityKey: Uint8Array;
}

/** What is known only when all samples have been seen. */
export interface PeakTotals {
  invalidSamples: number;
  /** CRC-32 of everything behind the header. */
  dataSum: number;
}

/** The header of a finished file. */
export function peakHeader(subject: PeakSubject, totals: PeakTotals): Uint8Array<ArrayBuffer> {
  const layout = peakLayout(subject);
  const header = new Uint8Array(layout.headerBytes);
  const view = new DataView(header.buffer);
  header.set(new TextEncoder().encode(PEAK_MAGIC));
  view.setUint32(8, PEAK_VERSION, true);
  view.setUint32(12, layout.headerBytes, true);
  view.setFloat64(16, layout.fileBytes, true);
  view.setFloat64(24, subject.frames, true);
  view.setFloat64(32, totals.invalidSamples, true);
  view.setUint32(40, subject.sampleRate, true);
  view.setUint32(44, subject.channels, true);
  view.setUint32(48, layout.planes, true);
  view.setUint32(52, BASE_FRAMES, true);
  view.setUint32(56, LEVEL_FACTOR, true);
  view.setUint32(60, layout.levels.length, true);
  view.setUint32(64, subject.compact ? 1 : 0, true);
  view.setUint32(68, totals.dataSum, true);
  header.set(subject.identityKey.subarray(0, 32), 80);
  layout.levels.forEach((level, i) => {
    const at = HEADER_BYTES + i * LEVEL_ENTRY_BYTES;
    view.setFloat64(at, level.offset, true);
    view.setFloat64(at + 8, level.buckets, true);
    view.setFloat64(at + 16, level.framesPerBucket, true);
    view.setFloat64(at + 24, level.bytes, true);
  });
  view.setUint32(72, crc32(header), true); // over the field's own zero
  return header;
}

/**
 * Checks the header of a peak file, and that the file is as long as it says.
 *
 * @param start The file's first bytes, at least as many as its header has.
 * @throws {PeakFileError} If it is anything but the header of a peak file about `subject`.
 */
export function checkPeakHeader(
  start: Uint8Array,
  fileBytes: number,
  subject: PeakSubject,
): PeakTotals {
  const layout = peakLayout(subject);
  if (start.length < HEADER_BYTES) throw new PeakFileError("it ends inside its header");
  const view = new DataView(start.buffer, start.byteOffset);
  if (new TextDecoder().decode(start.subarray(0, 8)) !== PEAK_MAGIC) {
    throw new PeakFileError("it is not a peak file");
  }
  const version = view.getUint32(8, true);
  if (version !== PEAK_VERSION) throw new PeakFileError(`its layout has version ${version}`);
  if (fileBytes !== layout.fileBytes) {
    throw new PeakFileError(`it has ${fileBytes} bytes, not ${layout.fileBytes}`);
  }
  const totals = {
    invalidSamples: view.getFloat64(32, true),
    dataSum: view.getUint32(68, true),
  };
  if (!peakHeader(subject, totals).every((byte, i) => byte === start[i])) {
    throw new PeakFileError("its header is damaged, or about another state of the file");
  }
  return totals;
}

/**
 * Checks that `bytes` is a whole, undamaged peak file about `subject`.
 *
 * @throws {PeakFileError} If it is anything else.
 */
export function checkPeakFile(bytes: Uint8Array, subject: PeakSubject): PeakTotals {
  const totals = checkPeakHeader(bytes, bytes.length, subject);
  if (crc32(bytes.subarray(peakLayout(subject).headerBytes)) !== totals.dataSum) {
    throw new PeakFileError("its data are damaged");
  }
  return totals;
}

/**
 * `lp_source_info`, the record in which native code describes a file.
 *
 * @module
 */

/** Its size. */
export const SOURCE_INFO_BYTES = 128;

const ENCODINGS = ["", "u8", "s8", "s16", "s24", "s32", "f32", "f64"] as const;
const CONTAINERS = [
  "",
  "wav",
  "rf64",
  "w64",
  "aiff",
  "aifc",
  "flac",
  "oggFlac",
  "mp3",
] as const;

/** How samples are stored. */
export type SampleEncoding = Exclude<(typeof ENCODINGS)[number], "">;
/** What they are stored in. */
export type Container = Exclude<(typeof CONTAINERS)[number], "">;

/** `enum lp_why`: why a file cannot be read. */
export const WHY = {
  none: 0,
  notAFile: 1,
  empty: 2,
  unknownContainer: 3,
  encoding: 4,
  rate: 5,
  channels: 6,
  bits: 7,
  block: 8,
  noFormat: 9,
  noData: 10,
  truncatedHeader: 11,
  permission: 12,
  mpegLayer: 13,
  freeFormat: 14,
  oggCodec: 15,
  foreign: 16,
} as const;

/** A file's header and identity. Times are of the file system, in whole seconds and nanoseconds. */
export interface NativeSourceInfo {
  /** Whole frames that the file really holds. */
  frames: number;
  dataOffset: number;
  fileBytes: number;
  device: number;
  inode: number;
  mtimeSeconds: number;
  mtimeNanoseconds: number;
  ctimeSeconds: number;
  ctimeNanoseconds: number;
  sampleRate: number;
  channels: number;
  /** Valid bits a sample. */
  bits: number;
  encoding: SampleEncoding;
  container: Container;
  /** WAVE speaker mask, 0 if unknown. */
  channelMask: number;
  /** The header's length was not the file's. */
  lengthLied: boolean;
  /** Frames a page of it holds; 0 unless it was opened as a source. */
  pageFrames: number;
  /** Frames of the source at the engine's rate; 0 unless it was opened as a source. */
  engineFrames: number;
}

/** Reads the record after a success. */
export function readSourceInfo(record: Uint8Array): NativeSourceInfo {
  const view = new DataView(record.buffer, record.byteOffset, SOURCE_INFO_BYTES);
  const f64 = (at: number) => view.getFloat64(at, true);
  const u32 = (at: number) => view.getUint32(at, true);
  return {
    frames: f64(0),
    dataOffset: f64(8),
    fileBytes: f64(16),
    device: f64(24),
    inode: f64(32),
    mtimeSeconds: f64(40),
    mtimeNanoseconds: f64(48),
    ctimeSeconds: f64(56),
    ctimeNanoseconds: f64(64),
    sampleRate: u32(72),
    channels: u32(76),
    bits: u32(80),
    encoding: ENCODINGS[u32(84)] as SampleEncoding,
    container: CONTAINERS[u32(88)] as Container,
    channelMask: u32(92),
    lengthLied: u32(96) !== 0,
    pageFrames: u32(112),
    engineFrames: f64(120),
  };
}

/** Reads the reason from the record after a failure: one of {@linkcode WHY}, and the value that offended (or `errno`). */
export function readWhy(record: Uint8Array): { why: number; value: number } {
  const view = new DataView(record.buffer, record.byteOffset, SOURCE_INFO_BYTES);
  return { why: view.getUint32(100, true), value: view.getFloat64(104, true) };
}

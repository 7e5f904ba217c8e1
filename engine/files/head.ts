/**
 * What a file's first bytes say about its sound: enough to list it. What is played is read by the native library, which trusts nothing
 * of this.
 *
 * @module
 */

import { readCompressedHead } from "./head_compressed.ts";

/** Rate, channels and length, as the header says and the file's size allows. */
export interface AudioHead {
  sampleRate: number;
  channels: number;
  bitDepth: number;
  lengthSamples: number;
  container: "wav" | "rf64" | "w64" | "aiff" | "aifc" | "flac" | "oggFlac" | "mp3";
}

/** What a look at a file's head gives: `"other"` says that it is of a kind that is not read, `null` that nothing is known. */
export type FoundHead = AudioHead | "other" | null;

/** Extensions of files that the engine reads; of Ogg files those with FLAC in them, which only the head can tell. */
export const AUDIO_EXTENSIONS: ReadonlySet<string> = new Set([
  "wav",
  "wave",
  "bwf",
  "rf64",
  "bw64",
  "w64",
  "aif",
  "aiff",
  "aifc",
  "flac",
  "oga",
  "ogg",
  "mp3",
]);

/** Whether a file of that name is offered as audio. */
export function hasAudioName(name: string): boolean {
  const dot = name.lastIndexOf(".");
  return dot > 0 && AUDIO_EXTENSIONS.has(name.slice(dot + 1).toLowerCase());
}

/** Reads up to `length` bytes from `offset`; fewer at the end. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

/** Most chunks that are looked at before the samples. */
const MAX_CHUNKS = 64;
const W64_RIFF = "riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
const UNKNOWN_32 = 0xffffffff;

/** The head of a file of `fileBytes` bytes; `null` if it is none that the engine reads. */
export async function readHead(read: ReadAt, fileBytes: number): Promise<AudioHead | null> {
  const found = await findHead(read, fileBytes);
  return found === "other" ? null : found;
}

/** The same, which also tells what is certainly not read from what may be. */
export async function findHead(read: ReadAt, fileBytes: number): Promise<FoundHead> {
  const first = await read(0, 40);
  if (first.length < 12) return null;
  const form = ascii(first, 0, 4);
  if ((form === "RIFF" || form === "RF64" || form === "BW64") && ascii(first, 8, 4) === "WAVE") {
    return await readRiff(read, fileBytes, form === "RIFF" ? "wav" : "rf64");
  }
  if (form === "FORM" && (ascii(first, 8, 4) === "AIFF" || ascii(first, 8, 4) === "AIFC")) {
    return await readAiff(read, fileBytes, ascii(first, 8, 4) === "AIFC" ? "aifc" : "aiff");
  }
  if (first.length >= 40 && ascii(first, 0, 16) === W64_RIFF) return await readW64(read, fileBytes);
  return await readCompressedHead(read, fileBytes);
}

interface Format {
  sampleRate: number;
  channels: number;
  bitDepth: number;
  frameBytes: number;
}

async function readRiff(
  read: ReadAt,
  fileBytes: number,
  container: "wav" | "rf64",
): Promise<AudioHead | null> {
  let format: Format | null = null;
  let longDataBytes: number | null = null;
  for (let at = 12, n = 0; n < MAX_CHUNKS; n++) {
    const chunk = await read(at, 8 + 28);
    if (chunk.length < 8) return null;
    const view = viewOf(chunk);
    const bytes = view.getUint32(4, true);
    const name = ascii(chunk, 0, 4);
    if (name === "ds64" && chunk.length >= 24) {
      longDataBytes = Number(view.getBigUint64(16, true));
    } else if (name === "fmt " && chunk.length >= 24) {
      format = riffFormat(view, 8);
    } else if (name === "data") {
      const unknown = bytes === UNKNOWN_32;
      return head(format, container, fileBytes, at + 8, unknown ? longDataBytes : bytes);
    }
    at += 8 + bytes + (bytes & 1);
    if (at >= fileBytes) return null;
  }
  return null;
}

async function readW64(read: ReadAt, fileBytes: number): Promise<AudioHead | null> {
  let format: Format | null = null;
  for (let at = 40, n = 0; n < MAX_CHUNKS; n++) {
    const chunk = await read(at, 24 + 16);
    if (chunk.length < 24) return null;
    const view = viewOf(chunk);
    const bytes = Number(view.getBigUint64(16, true));
    const name = ascii(chunk, 0, 4);
    if (name === "fmt " && chunk.length >= 40) format = riffFormat(view, 24);
    else if (name === "data") return head(format, "w64", fileBytes, at + 24, bytes - 24);
    if (bytes < 24) return null;
    at += bytes + (8 - bytes % 8) % 8;
    if (at >= fileBytes) return null;
  }
  return null;
}

async function readAiff(
  read: ReadAt,
  fileBytes: number,
  container: "aiff" | "aifc",
): Promise<AudioHead | null> {
  for (let at = 12, n = 0; n < MAX_CHUNKS; n++) {
    const chunk = await read(at, 8 + 18);
    if (chunk.length < 8) return null;
    const view = viewOf(chunk);
    const bytes = view.getUint32(4);
    if (ascii(chunk, 0, 4) === "COMM" && chunk.length >= 26) {
      const channels = view.getUint16(8);
      const bitDepth = view.getUint16(14);
      const sampleRate = extended(view, 16);
      const frameBytes = channels * Math.ceil(bitDepth / 8);
      return head(
        { sampleRate, channels, bitDepth, frameBytes },
        container,
        fileBytes,
        0,
        view.getUint32(10) * frameBytes,
      );
    }
    at += 8 + bytes + (bytes & 1);
    if (at >= fileBytes) return null;
  }
  return null;
}

function riffFormat(view: DataView, at: number): Format {
  return {
    channels: view.getUint16(at + 2, true),
    sampleRate: view.getUint32(at + 4, true),
    frameBytes: view.getUint16(at + 12, true),
    bitDepth: view.getUint16(at + 14, true),
  };
}

function head(
  format: Format | null,
  container: AudioHead["container"],
  fileBytes: number,
  dataOffset: number,
  dataBytes: number | null,
): AudioHead | null {
  if (!format || format.channels < 1 || format.sampleRate < 1 || format.frameBytes < 1) return null;
  const there = Math.max(0, fileBytes - dataOffset);
  const bytes = dataBytes === null ? there : Math.min(there, Math.max(0, dataBytes));
  const { sampleRate, channels, bitDepth, frameBytes } = format;
  const lengthSamples = Math.floor(bytes / frameBytes);
  return { sampleRate, channels, bitDepth, lengthSamples, container };
}

/** An 80-bit extended float, as AIFF writes rates: sign and exponent, then a 64-bit mantissa with its integer bit. */
function extended(view: DataView, at: number): number {
  const exponent = (view.getUint16(at) & 0x7fff) - 16_383 - 63;
  const mantissa = view.getUint32(at + 2) * 4_294_967_296 + view.getUint32(at + 6);
  const value = mantissa * 2 ** exponent;
  return Number.isFinite(value) ? value : 0;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function ascii(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

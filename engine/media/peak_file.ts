/**
 * Peak files in the cold cache: where they lie, reading, and writing beside and renaming. All calls block: for the analysis worker.
 *
 * @module
 */
import {
  checkPeakHeader,
  PeakFileError,
  type PeakSubject,
  type PeakTotals,
} from "./peak_header.ts";
import { PeakImage } from "./peak_image.ts";
import { peakLayout } from "./peak_layout.ts";

const SLICE_BYTES = 1 << 22;

/** The peak file of an identity in a cache folder. */
export function peakFilePath(cacheDir: string, identityKey: Uint8Array): string {
  const name = identityKey.toHex();
  return `${cacheDir}/peaks/${name.slice(0, 2)}/${name}.peaks`;
}

/**
 * Looks at a file's header and length alone: whether it seems to hold the peaks of `subject`. Cheap enough for each file of a project.
 *
 * @returns What it noted about the whole; `undefined` where there is no file, or one that has to be rebuilt.
 */
export function probePeakFile(path: string, subject: PeakSubject): PeakTotals | undefined {
  try {
    using file = Deno.openSync(path);
    const start = new Uint8Array(peakLayout(subject).headerBytes);
    const got = file.readSync(start) ?? 0;
    return checkPeakHeader(start.subarray(0, got), file.statSync().size, subject);
  } catch {
    return undefined; // whatever it is, making the peaks anew is the answer
  }
}

/**
 * The image that a file holds.
 *
 * @returns `undefined` where there is no file, or one that has to be rebuilt: that one is deleted.
 */
export function loadPeakFile(path: string, subject: PeakSubject): PeakImage | undefined {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Deno.readFileSync(path);
  } catch {
    return undefined; // absent or not readable: the cache is disposable
  }
  try {
    // An image views the buffer from its start.
    return PeakImage.open(bytes.byteOffset === 0 ? bytes : bytes.slice(), subject);
  } catch (error) {
    if (!(error instanceof PeakFileError)) throw error;
    removeQuietly(path);
    return undefined;
  }
}

/**
 * Writes a sealed image, whole or not at all, in steps of a few milliseconds.
 *
 * @throws What the file system throws; then nothing is left behind.
 */
export function* savePeakFile(path: string, image: PeakImage): Generator<void, void> {
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  const unfinished = `${path}.${crypto.randomUUID()}`;
  let done = false;
  try {
    {
      using file = Deno.openSync(unfinished, { write: true, createNew: true });
      for (let at = 0; at < image.bytes.length;) {
        at += file.writeSync(image.bytes.subarray(at, at + SLICE_BYTES));
        yield;
      }
    }
    Deno.renameSync(unfinished, path);
    done = true;
  } finally {
    if (!done) removeQuietly(unfinished);
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is gone, or will be tried again: nothing depends on it.
  }
}

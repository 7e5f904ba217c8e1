/**
 * Peak files in the cold cache: where they lie, reading, and writing beside and renaming. All calls block: for the analysis worker.
 *
 * @module
 */
import { PeakFileError, type PeakSubject } from "./peak_header.ts";
import { PeakImage } from "./peak_image.ts";

const SLICE_BYTES = 1 << 22;

/** The peak file of an identity in a cache folder. */
export function peakFilePath(cacheDir: string, identityKey: Uint8Array): string {
  const name = identityKey.toHex();
  return `${cacheDir}/peaks/${name.slice(0, 2)}/${name}.peaks`;
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

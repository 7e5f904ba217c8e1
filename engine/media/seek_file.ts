/**
 * Seek indexes of compressed files in the cold cache, keyed as the peak files are. What stands in them is native code's own
 * (`seek_index.h`), which checks what it is given.
 *
 * @module
 */
import type { FileIdentity } from "./identity.ts";
import { identityKey } from "./identity.ts";
import type { MediaEntry } from "./media_entry.ts";
import type { Steps } from "./task_queue.ts";

/** What a step should take. */
const STEP_MS = 2;
/** Larger files are none of ours. */
const MOST_BYTES = 1 << 26;

/** The seek file of a state of a file in a cache folder. */
export function seekFilePath(cacheDir: string, identity: FileIdentity): string {
  const name = identityKey(identity).toHex();
  return `${cacheDir}/seek/${name.slice(0, 2)}/${name}.seek`;
}

/** Whether files of that container have an index at all. */
export function hasSeekIndex(container: string): boolean {
  return container === "flac" || container === "oggFlac" || container === "mp3";
}

/**
 * Builds the index of a file where the cache does not have it, and writes it there: whole or not at all. For the analysis worker.
 *
 * @returns The seek file, `null` where the file needs none or it could not be written.
 * @throws {EngineError} If the file cannot be read, or changed since it was opened.
 */
export function* indexMedia(media: MediaEntry): Steps<string | null> {
  const path = media.seekFile;
  if (path === null) return null;
  if (isThere(path)) return path;
  using scan = media.openScan();
  while (scan.indexStep(STEP_MS)) yield;
  const bytes = scan.takeIndex();
  if (bytes === undefined) return null;
  const unfinished = `${path}.${crypto.randomUUID()}`;
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeFileSync(unfinished, bytes, { createNew: true });
    Deno.renameSync(unfinished, path);
    return path;
  } catch {
    // A full disk costs the cache alone.
    removeQuietly(unfinished);
    return null;
  }
}

/** Bytes of a seek file; `undefined` where there is none that could be one. */
export async function loadSeekFile(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const { size } = await Deno.stat(path);
    return size <= MOST_BYTES ? await Deno.readFile(path) : undefined;
  } catch {
    return undefined; // The cache is disposable: the index is built anew.
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It is gone, or nobody will look at it.
  }
}

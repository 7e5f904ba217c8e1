/**
 * The content hash of a file, for the cold cache's second key and for finding moved files.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { MediaEntry } from "./media_entry.ts";
import type { Steps } from "./task_queue.ts";

const STEP_BYTES = 1 << 20;

/**
 * SHA-256 of the whole file, in hex.
 *
 * @param onProgress Called after each step with the bytes hashed so far.
 * @throws {EngineError} If the file changed since it was opened.
 */
export function* hashMedia(
  media: MediaEntry,
  onProgress: (bytes: number) => void,
): Steps<string> {
  media.openScan()[Symbol.dispose](); // fails if it is not the same file any more
  const hash = createHash("sha256");
  const buffer = new Uint8Array(STEP_BYTES);
  {
    using file = Deno.openSync(media.path);
    let bytes = 0;
    for (;;) {
      const got = file.readSync(buffer);
      if (got === null) break;
      hash.update(buffer.subarray(0, got));
      bytes += got;
      onProgress(bytes);
      yield;
    }
  }
  media.openScan()[Symbol.dispose]();
  return hash.digest("hex");
}

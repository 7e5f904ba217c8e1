/**
 * What tests of `engine/media` share: the library with blocking scans, files that live for a test, the fixtures.
 *
 * @module
 */
import { ensureLibrary } from "../../ffi/build.ts";
import { openLibraryAt } from "../../ffi/library.ts";
import { SCAN_SYMBOLS } from "../../ffi/symbols.ts";
import { Scan, type ScanLibrary } from "../../engine/media/scan.ts";
import { makeWav, randomPlanes } from "./audio_files.ts";

/** Real files beside the project; absent on most machines. */
export const FIXTURES = new URL("../../../shared/fixtures/audio/", import.meta.url).pathname;

/** Whether {@linkcode FIXTURES} is there; tests that need it are ignored otherwise, and say so. */
export const HAS_FIXTURES = (() => {
  try {
    return Deno.statSync(FIXTURES).isDirectory;
  } catch {
    return false;
  }
})();

/** The native library as the analysis worker loads it. */
export async function openScans(): Promise<ScanLibrary> {
  return openLibraryAt(await ensureLibrary(), SCAN_SYMBOLS);
}

/** A folder that goes away with the test. */
export class TemporaryFolder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<TemporaryFolder> {
    return new TemporaryFolder(await Deno.makeTempDir({ prefix: "media" }));
  }

  /** Writes a file and returns its path. */
  async write(name: string, bytes: Uint8Array): Promise<string> {
    const path = `${this.path}/${name}`;
    await Deno.writeFile(path, bytes);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** All frames of a file as planes. */
export function readAll(library: ScanLibrary, path: string): Float32Array[] {
  using scan = Scan.open(library, path);
  const { frames, channels } = scan.info;
  const out = new Float32Array(frames * channels);
  const got = scan.read(0, frames, out);
  if (got !== frames) throw new Error(`read ${got} of ${frames} frames`);
  return Array.from({ length: channels }, (_, c) => out.subarray(c * frames, (c + 1) * frames));
}

/** A long 16-bit stereo file that takes no time to make: a short random piece over and over. */
export function longWav(frames: number): Uint8Array<ArrayBuffer> {
  const piece = makeWav({ planes: randomPlanes(1, 2, 1 << 14, "s16"), encoding: "s16" });
  const bytes = new Uint8Array(44 + frames * 4);
  bytes.set(piece.subarray(0, 44));
  for (let at = 44; at < bytes.length; at += piece.length - 44) {
    bytes.set(piece.subarray(44, 44 + Math.min(piece.length - 44, bytes.length - at)), at);
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(4, bytes.length - 8, true);
  view.setUint32(40, bytes.length - 44, true);
  return bytes;
}

/** Writes a 16-bit stereo file of silence that takes no room on the disk, and returns its path. */
export async function sparseWav(
  folder: TemporaryFolder,
  name: string,
  frames: number,
): Promise<string> {
  const head = makeWav({ planes: [[], []], encoding: "s16" }, { dataBytes: frames * 4 });
  const path = await folder.write(name, head);
  await Deno.truncate(path, head.length + frames * 4);
  return path;
}

/** Runs a generator to its end. */
export function finish<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value as T;
  }
}

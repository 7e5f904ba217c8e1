/**
 * One engine a folder, one engine a project file.
 *
 * @module
 */

import { UnusableFile } from "./database.ts";

/** Somebody else holds the lock. */
export class FileInUse extends Error {
  override name = "FileInUse";
  constructor(message: string, readonly pid: number | null) {
    super(message);
  }
}

/**
 * A lock that ends with the process, however that ends: the system's own on an open file, which stays behind empty-handed after a crash.
 */
export class FileLock implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile, private readonly path: string) {
    this.#file = file;
  }

  /**
   * Takes the lock at `path`, a file of its own.
   *
   * @param what In words, for the message: "the data folder /x".
   * @throws {FileInUse} if another has it.
   * @throws {UnusableFile} if no file can be made there.
   */
  static take(path: string, what: string): FileLock {
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(path, { read: true, write: true, create: true });
    } catch (error) {
      throw new UnusableFile(`Cannot open ${what}: ${(error as Error).message}`);
    }
    if (!file.tryLockSync(true)) {
      const pid = readPid(file);
      file.close();
      const who = pid === null ? "another engine" : `another engine (process ${pid})`;
      throw new FileInUse(`Cannot open ${what}: ${who} uses it`, pid);
    }
    file.truncateSync(0);
    file.writeSync(new TextEncoder().encode(String(Deno.pid)));
    return new FileLock(file, path);
  }

  [Symbol.dispose](): void {
    try {
      Deno.removeSync(this.path);
    } catch { /* on some systems an open file stays; it locks nobody out */ }
    this.#file.close();
  }
}

function readPid(file: Deno.FsFile): number | null {
  try {
    const buffer = new Uint8Array(16);
    const length = file.readSync(buffer) ?? 0;
    const pid = Number(new TextDecoder().decode(buffer.subarray(0, length)));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null; // where locks are mandatory the holder's file cannot be read
  }
}

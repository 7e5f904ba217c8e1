/**
 * The renders of the cold cache: which are there, which may go, and who uses which. All calls block: for the worker that stretches.
 *
 * Several engines may share the folder. What one of them does to it stands under a lock, for a moment; what it uses stands in a file of its own, its
 * lease, which it keeps locked for as long as it lives. A lease that nobody holds is of an engine that ended without a word: it counts no more.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { EngineError } from "../errors.ts";
import { renderBytes, type RenderShape, touchRender } from "./stretch_file.ts";
import { STRETCHER_VERSION } from "./stretcher.ts";

/** Parts of a frame in which rates are told apart (`signal/speed.ts`). */
const PARTS = 2 ** 24;
const LOCK = "lock";
const LEASE = ".lease";
const PART = ".part";
const RENDER = ".wav";

/** What a render is made of: the file's content where its hash is known, else the state that the file is in. */
export type RenderContent = { readonly hash: string } | { readonly state: Uint8Array };

/** What is done with a file at a rate, 32 bytes: by whom, and how. */
export function renderRecipe(rate: number, version = STRETCHER_VERSION): Uint8Array<ArrayBuffer> {
  return sha256(`${version}\n${Math.round(rate * PARTS)}`);
}

/** The key of a render, 32 bytes: of the content and what is done with it. */
export function renderKey(
  content: RenderContent,
  rate: number,
  version = STRETCHER_VERSION,
): Uint8Array<ArrayBuffer> {
  const what = "hash" in content ? `content ${content.hash}` : `state ${content.state.toHex()}`;
  return sha256(`${what}\n${renderRecipe(rate, version).toHex()}`);
}

function sha256(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(text).digest());
}

interface Stored {
  readonly name: string;
  readonly bytes: number;
  /** Names of one file have the same. */
  readonly file: string;
  readonly usedMs: number;
  readonly isPart: boolean;
}

/** The folder as one engine sees it. */
export class StretchCache implements Disposable {
  readonly #folder: string;
  readonly #budgetBytes: number;
  readonly #lease = crypto.randomUUID();
  readonly #held = new Map<string, number>();
  #leaseFile: Deno.FsFile | null = null;

  constructor(cacheDir: string, budgetBytes: number) {
    this.#folder = `${cacheDir}/stretch`;
    this.#budgetBytes = budgetBytes;
  }

  /** The file of a key. */
  path(key: Uint8Array): string {
    return `${this.#folder}/${key.toHex()}${RENDER}`;
  }

  /** Whether this engine uses it. */
  holds(key: Uint8Array): boolean {
    return this.#held.has(key.toHex());
  }

  /**
   * Takes a render into use, if its file is there: it stays until it was given back as often as it was taken.
   *
   * @throws What the file system throws where the folder cannot be written to.
   */
  hold(key: Uint8Array): boolean {
    const name = key.toHex();
    const count = this.#held.get(name) ?? 0;
    if (count > 0) {
      this.#held.set(name, count + 1);
      return true;
    }
    if (!isFile(this.path(key))) return false;
    return this.#locked(() => {
      if (!isFile(this.path(key))) return false;
      this.#held.set(name, 1);
      this.#note(`+${name}\n`);
      touchRender(this.path(key));
      return true;
    });
  }

  /** Gives back what {@linkcode hold} or {@linkcode settle} took. */
  release(key: Uint8Array): void {
    const name = key.toHex();
    const count = this.#held.get(name);
    if (count === undefined) return;
    if (count > 1) return void this.#held.set(name, count - 1);
    this.#held.delete(name);
    touchRender(this.path(key));
    this.#note(`-${name}\n`);
  }

  /**
   * Makes room for a render, by deleting those that were used longest ago.
   *
   * @returns Where to write it.
   * @throws {EngineError} `cache.budget` where it has no room beside those that are in use.
   */
  makeRoom(key: Uint8Array, shape: RenderShape): string {
    const bytes = renderBytes(shape);
    return this.#locked(() => {
      this.#note(""); // What is written belongs to somebody from now on.
      const inUse = this.#inUse();
      const stored = this.#list();
      const files = new Map<string, Stored[]>();
      for (const entry of stored) {
        files.set(entry.file, [...files.get(entry.file) ?? [], entry]);
      }
      let sum = bytes;
      for (const [one] of files.values()) sum += one.bytes;
      const oldest = [...files.values()].sort(([a], [b]) => a.usedMs - b.usedMs);
      for (const names of oldest) {
        const ownerless = names.every(({ name, isPart }) =>
          isPart && !inUse.leases.has(ownerOf(name))
        );
        if (sum <= this.#budgetBytes && !ownerless) continue;
        if (
          !ownerless && names.some(({ name, isPart }) => isPart || inUse.names.has(nameOf(name)))
        ) {
          continue;
        }
        for (const { name } of names) removeQuietly(`${this.#folder}/${name}`);
        sum -= names[0].bytes;
      }
      if (sum > this.#budgetBytes) {
        throw new EngineError(
          "cache.budget",
          `Cannot keep a render of ${megabytes(bytes)} MB: renders that are in use take ${
            megabytes(sum - bytes)
          } of the ` +
            `${
              megabytes(this.#budgetBytes)
            } MB that they may; shorten the files that are played at other speeds, or let the cache be larger`,
          { bytes, usedBytes: sum - bytes, budgetBytes: this.#budgetBytes },
        );
      }
      return `${this.#folder}/${key.toHex()}.${this.#lease}${PART}`;
    });
  }

  /** Gives a finished file its name, and takes it into use. Where another engine was quicker, its file stays: it is the same, and may be open. */
  settle(unfinished: string, key: Uint8Array, isWhole: (path: string) => boolean): void {
    const path = this.path(key);
    this.#locked(() => {
      if (isFile(path) && isWhole(path)) Deno.removeSync(unfinished);
      else Deno.renameSync(unfinished, path);
      const name = key.toHex();
      const count = this.#held.get(name) ?? 0;
      this.#held.set(name, count + 1);
      if (count === 0) this.#note(`+${name}\n`);
      touchRender(path);
    });
  }

  /** Gives a render a second name: what it is of is known by another key from now on. */
  alias(key: Uint8Array, other: Uint8Array): void {
    if (isFile(this.path(other))) return;
    try {
      Deno.linkSync(this.path(key), this.path(other));
    } catch {
      // A file system without links, or it is gone: the render is made again some day.
    }
  }

  /** Deletes a render that turned out to be damaged. */
  discard(key: Uint8Array): void {
    removeQuietly(this.path(key));
  }

  /** Gives all back. */
  [Symbol.dispose](): void {
    if (this.#leaseFile === null) return;
    removeQuietly(`${this.#folder}/${this.#lease}${LEASE}`);
    this.#leaseFile.close();
    this.#leaseFile = null;
    this.#held.clear();
  }

  /** Does something to the folder while no other engine does. */
  #locked<Result>(work: () => Result): Result {
    Deno.mkdirSync(this.#folder, { recursive: true });
    using lock = Deno.openSync(`${this.#folder}/${LOCK}`, {
      read: true,
      write: true,
      create: true,
    });
    lock.lockSync(true);
    try {
      return work();
    } finally {
      lock.unlockSync();
    }
  }

  #note(line: string): void {
    if (this.#leaseFile === null) {
      const path = `${this.#folder}/${this.#lease}${LEASE}`;
      this.#leaseFile = Deno.openSync(path, { read: true, write: true, createNew: true });
      this.#leaseFile.lockSync(true);
    }
    const bytes = new TextEncoder().encode(line);
    for (let at = 0; at < bytes.length;) at += this.#leaseFile.writeSync(bytes.subarray(at));
  }

  /** What engines use that live. Leases of others are deleted. */
  #inUse(): { leases: Set<string>; names: Set<string> } {
    const leases = new Set<string>([this.#lease]);
    const names = new Set(this.#held.keys());
    for (const { name, isFile } of Deno.readDirSync(this.#folder)) {
      if (!isFile || !name.endsWith(LEASE)) continue;
      const lease = name.slice(0, -LEASE.length);
      if (lease === this.#lease) continue;
      const path = `${this.#folder}/${name}`;
      if (isHeld(path)) {
        leases.add(lease);
        for (const used of namesIn(Deno.readTextFileSync(path))) names.add(used);
      } else {
        removeQuietly(path);
      }
    }
    return { leases, names };
  }

  #list(): Stored[] {
    const stored: Stored[] = [];
    for (const { name, isFile } of Deno.readDirSync(this.#folder)) {
      const isPart = name.endsWith(PART);
      if (!isFile || !isPart && !name.endsWith(RENDER)) continue;
      try {
        const { size, atime, dev, ino } = Deno.statSync(`${this.#folder}/${name}`);
        const usedMs = atime?.getTime() ?? 0;
        stored.push({ name, bytes: size, file: `${dev} ${ino ?? name}`, usedMs, isPart });
      } catch {
        // It went meanwhile.
      }
    }
    return stored;
  }
}

/** Names that a lease's lines leave in use. */
export function namesIn(lines: string): Set<string> {
  const names = new Set<string>();
  for (const line of lines.split("\n").slice(0, -1)) {
    if (line.startsWith("+")) names.add(line.slice(1));
    else names.delete(line.slice(1));
  }
  return names;
}

function nameOf(file: string): string {
  return file.slice(0, file.indexOf("."));
}

/** The lease of who writes an unfinished file. */
function ownerOf(file: string): string {
  return file.slice(file.indexOf(".") + 1, -PART.length);
}

function isHeld(path: string): boolean {
  try {
    using file = Deno.openSync(path, { read: true, write: true });
    if (!file.tryLockSync(true)) return true;
    file.unlockSync();
    return false;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound); // What cannot be looked into may be in use.
  }
}

function isFile(path: string): boolean {
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
    // It is gone, or will be tried again: nothing depends on it.
  }
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6);
}

/**
 * What can be browsed: the folders under the library roots. Never waits for a slow disk.
 *
 * @module
 */
import { basename } from "node:path";
import type { LibraryEntry, LibraryListing, LibraryQuery } from "../../api.ts";
import { withinMs } from "../../bounded.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import { type Files, SlowDisk } from "../../files/files.ts";
import type { ListAnswer, ListedEntry, ListRequest } from "../../files/files_protocol.ts";
import { faultError, type Grants } from "../../files/grants.ts";
import type { AudioHead } from "../../files/head.ts";
import { absolutePath } from "../../files/paths.ts";
import type { Notify } from "../../notices.ts";
import type { Asset } from "../types.ts";

/** How long a listing waits for its disk before it answers with what is known, in milliseconds. */
export const PATIENCE_MS = 150;
/** How long the disk may take to tell behind that answer, in milliseconds. */
const BEHIND_MS = 60_000;
/** Time over which lengths that become known are gathered, in milliseconds. */
const GATHER_MS = 250;
export const DEFAULT_LIMIT = 200;
export const MAX_LIMIT = 1_000;
/** Most answers that are kept for disks that are slow next time. */
const KEPT_ANSWERS = 64;

export interface LibraryOptions {
  /** {@linkcode PATIENCE_MS}, if left out. */
  patienceMs?: number;
  files: Files;
  /** Of the open project. */
  grants: () => Grants;
  notify: Notify;
  /** The asset under which an audio file can be heard, a transient one if it is in no project. */
  assetOf: (
    path: string,
    head: AudioHead | undefined,
  ) => Pick<Asset, "assetId" | "durationSeconds">;
}

/** `library.list` and `library.changed`. */
export class Library {
  readonly #options: LibraryOptions;
  readonly #known = new Map<string, LibraryListing>();
  #closed = false;

  constructor(options: LibraryOptions) {
    this.#options = options;
  }

  /** Tells nothing from now on. */
  close(): void {
    this.#closed = true;
  }

  /** State of the topic: the roots. */
  roots(): LibraryListing {
    const entries = this.#options.grants().roots.map((path): LibraryEntry => ({
      name: basename(path) || path,
      path,
      kind: "folder",
    }));
    return { entries, total: entries.length };
  }

  /**
   * A page of a folder, or of the search below it. What is not known within {@linkcode PATIENCE_MS} follows as `library.changed`.
   *
   * @throws {InvalidParams} @throws {EngineError} `asset.outsideLibrary`, `asset.notFound`, `asset.unreadable`.
   */
  async list(query: LibraryQuery): Promise<LibraryListing> {
    const { offset = 0, limit = DEFAULT_LIMIT, sort = "name" } = query;
    requireCount("offset", offset, 0, Number.MAX_SAFE_INTEGER);
    requireCount("limit", limit, 1, MAX_LIMIT);
    if (query.path === undefined) {
      const { entries, total } = this.roots();
      return { entries: entries.slice(offset, offset + limit), total };
    }
    const path = absolutePath(query.path, ["path"]);
    const request: ListRequest = {
      kind: "list",
      path,
      roots: [],
      ...(query.query ? { query: query.query } : {}),
      sort,
      offset,
      limit,
    };
    const key = JSON.stringify(request);
    const reading = this.#read(request, key);
    const first = await withinMs(reading, this.#options.patienceMs ?? PATIENCE_MS, null);
    if (first !== null) return first;
    reading.then(
      (listing) => this.#tell(path, listing.entries),
      () => this.#tell(path, []), // The next request for it is refused with the reason.
    );
    return this.#known.get(key) ?? { entries: [], total: 0 };
  }

  async #read(request: ListRequest, key: string): Promise<LibraryListing> {
    const { files } = this.#options;
    const grants = this.#options.grants();
    const { path } = request;
    const facts = await grants.resolve(path, "list");
    if (facts.kind !== "folder") {
      throw new InvalidParams(["path"], `must name a folder; ${path} is a file`);
    }
    let answer: ListAnswer;
    try {
      const listed = await files.ask(path, { ...request, roots: grants.realRoots }, {
        timeoutMs: BEHIND_MS,
      });
      if ("fault" in listed) throw faultError(listed, path, "list");
      answer = listed;
    } catch (error) {
      if (!(error instanceof SlowDisk)) throw error;
      throw new EngineError("asset.unreadable", `Cannot list ${path}: its disk does not answer`, {
        path,
        reason: "slow",
      });
    }
    const entries = answer.entries.map((entry) => this.#entry(entry));
    const listing = { entries, total: answer.total };
    this.#known.delete(key);
    this.#known.set(key, listing);
    if (this.#known.size > KEPT_ANSWERS) this.#known.delete(this.#known.keys().next().value!);
    void this.#measure(path, answer.entries.filter(({ kind, head }) => kind === "audio" && !head));
    return listing;
  }

  #entry({ name, path, kind, head }: ListedEntry): LibraryEntry {
    if (kind !== "audio") return { name, path, kind };
    const { assetId, durationSeconds } = this.#options.assetOf(path, head);
    return {
      name,
      path,
      kind,
      assetId,
      ...(durationSeconds > 0 ? { durationSeconds } : {}),
      offlineStatus: "present",
    };
  }

  /** Reads heads behind the answer and tells lengths as they become known. */
  async #measure(folder: string, entries: readonly ListedEntry[]): Promise<void> {
    const waiting: LibraryEntry[] = [];
    let since = performance.now();
    const flush = () => {
      if (waiting.length > 0) this.#tell(folder, waiting.splice(0));
      since = performance.now();
    };
    for (const entry of entries) {
      if (this.#closed) return;
      try {
        const head = await this.#options.files.ask(entry.path, { kind: "head", path: entry.path });
        if (head === "other") waiting.push(this.#entry({ ...entry, kind: head }));
        else if (head !== null && !("fault" in head)) waiting.push(this.#entry({ ...entry, head }));
      } catch {
        break; // The disk does not answer, or the engine closes: lengths stay unknown.
      }
      if (performance.now() - since >= GATHER_MS) flush();
    }
    flush();
  }

  #tell(path: string, entries: LibraryEntry[]): void {
    if (this.#closed) return;
    this.#options.notify({
      topic: "library",
      method: "library.changed",
      params: { path, entries },
    });
  }
}

function requireCount(field: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new InvalidParams([field], `must be an integer from ${min} to ${max}, not ${value}`);
  }
}

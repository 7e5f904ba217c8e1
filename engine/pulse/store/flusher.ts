/**
 * Brings databases to the disk behind the main thread's back: what is committed survives the death of the machine within a second.
 *
 * @module
 */
import type { FlushReply, FlushRequest } from "./flush_protocol.ts";

/** Longest time that a commit waits for the disk, without the disk's own. */
const INTERVAL_MS = 500;

type Ask =
  | { kind: "flush"; path: string }
  | { kind: "copy"; path: string; to: string }
  | { kind: "release"; path: string };

export class Flusher implements AsyncDisposable {
  #worker: Worker | null = null;
  #nextId = 1;
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  readonly #dirty = new Set<string>();
  readonly #pending = new Set<Promise<void>>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  /** Something was committed to the database at `path`. Costs next to nothing. */
  touch(path: string): void {
    if (this.#closed) return;
    this.#dirty.add(path);
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#flushAll(), INTERVAL_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** Resolves when what is committed so far is on the disk. */
  async flush(path: string): Promise<void> {
    this.#dirty.delete(path);
    await this.#ask({ kind: "flush", path });
  }

  /** Writes a whole copy of the database to a path where nothing is. Edits go on meanwhile; the copy is of one moment. */
  async copy(path: string, to: string): Promise<void> {
    await this.#ask({ kind: "copy", path, to });
  }

  /** Must come before the database is closed, so that its log can go with it. */
  async release(path: string): Promise<void> {
    this.#dirty.delete(path);
    if (this.#worker !== null) await this.#ask({ kind: "release", path });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#closed = true;
    await Promise.allSettled(this.#pending);
    this.#worker?.terminate();
    this.#worker = null;
  }

  #flushAll(): void {
    this.#timer = null;
    for (const path of this.#dirty) {
      // A flush that fails (disk full) is tried again with the next commit; the log keeps everything until then.
      this.#ask({ kind: "flush", path }).catch(() => {});
    }
    this.#dirty.clear();
  }

  #ask(ask: Ask): Promise<void> {
    const worker = this.#worker ??= this.#start();
    const id = this.#nextId++;
    const answer = new Promise<void>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, ...ask } satisfies FlushRequest);
    });
    const pending = answer.finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
    pending.catch(() => {}); // whoever asked hears of it
    return answer;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./flush_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<FlushReply>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error === undefined) waiting?.resolve();
      else waiting?.reject(new Error(data.error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#worker = null;
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`The flush thread ended: ${event.message}`));
      }
      this.#waiting.clear();
    };
    return worker;
  }
}

/**
 * Renders of files at other speeds with their own pitch, made on a thread of its own and kept in the cold cache.
 *
 * @module
 */
import { withinMs } from "../bounded.ts";
import type {
  RenderFile,
  RenderSubject,
  StretchCall,
  StretchCalls,
  StretchInit,
  StretchReply,
} from "./stretch_protocol.ts";
import { fromWire } from "./wire_error.ts";

export type { RenderFile, RenderSubject };

/** How it is started. */
export interface StretchOptions {
  /** The native library's file; asked for when the first render is wanted. */
  libraryPath: () => Promise<string>;
  /** The cold cache's folder; made when needed. */
  cacheDir: string;
  /** Bytes that renders may take in it. What was used longest ago goes first; what is in use stays. {@linkcode BUDGET_BYTES} unless told. */
  budgetBytes?: number;
}

export interface RenderOptions {
  /** The greater goes first; 0 unless told. */
  priority?: number;
  /** Called a few times a second with the part that is done, 0 … 1. */
  onProgress?: (done: number) => void;
}

/** A render that was asked for. */
export interface RenderRequest {
  /**
   * The render, in use until it is given to {@linkcode Stretch.release}.
   *
   * Rejects with an `EngineError`: `asset.*` where the file cannot be read, `asset.unsupported` where the stretcher's package cannot be had,
   * `cache.budget` where the cache has no room; with `CancelledError` where it was cancelled.
   */
  readonly done: Promise<RenderFile>;
  prioritise(priority: number): void;
  /** Ends it; nothing is left behind. Does nothing once it is done. */
  cancel(): void;
}

/** What renders may take in the cold cache unless told otherwise, in bytes: seven hours of stereo at 48 kHz. */
export const BUDGET_BYTES = 10e9;

const STOP_MS = 2000;

interface Pending {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  onProgress?: (done: number) => void;
}

/**
 * The client of the worker that stretches. The worker is started with the first request.
 *
 * @example
 * ```ts no-eval
 * import { ensureLibrary } from "../../ffi/build.ts";
 * import { Stretch } from "./stretch.ts";
 *
 * await using stretch = new Stretch({ libraryPath: () => ensureLibrary(), cacheDir: "/tmp/cache" });
 * const { ino, size, mtime } = await Deno.stat("/music/song.wav");
 * const { done } = stretch.render({
 *   path: "/music/song.wav",
 *   hash: null,
 *   state: { inode: ino!, bytes: size, mtimeMs: mtime!.getTime() },
 *   rate: 1.25,
 * });
 * console.log((await done).path);
 * ```
 */
export class Stretch implements AsyncDisposable {
  readonly #options: StretchOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Promise<Worker> | null = null;
  #lastId = 0;
  #closed: Error | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: StretchOptions) {
    this.#options = options;
  }

  /**
   * Takes a render into use that is in the cache; `null` if there is none.
   *
   * @throws {EngineError} If there is none and the file cannot be read either.
   */
  find(subject: RenderSubject): Promise<RenderFile | null> {
    return this.#call("find", { subject, priority: 0 }).done;
  }

  /** Asks for a render: found in the cache, else made. */
  render(
    subject: RenderSubject,
    { priority = 0, onProgress }: RenderOptions = {},
  ): RenderRequest {
    const { id, done } = this.#call("render", { subject, priority }, onProgress);
    return {
      done,
      prioritise: (priority) => this.#post({ prioritise: id, priority }),
      cancel: () => this.#post({ cancel: id }),
    };
  }

  /** Says what the content of a render's file is, so that the render is found by that too. */
  async learn(render: RenderFile, hash: string, rate: number): Promise<void> {
    await this.#call("learn", { name: render.name, hash, rate }).done;
  }

  /** Gives a render back. It stays in the cache as long as there is room. */
  async release(render: RenderFile): Promise<void> {
    if (this.#closed !== null) return;
    await this.#call("release", { name: render.name }).done;
  }

  /** Ends everything. What is pending is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    const worker = this.#worker === null ? null : await this.#worker.catch(() => null);
    if (worker !== null && this.#closed === null) {
      const stopped = this.#call("stop", {}).done.catch(() => {});
      this.#closed = new Error("The stretcher is closed");
      // A file on a dead volume may hold the thread: it is left to its fate then.
      await withinMs(stopped, STOP_MS, undefined);
    }
    this.#fail(new Error("The stretcher is closed"));
    worker?.terminate();
  }

  #call<K extends StretchCall>(
    call: K,
    params: StretchCalls[K]["params"],
    onProgress?: (done: number) => void,
  ): { id: number; done: Promise<StretchCalls[K]["answer"]> } {
    const id = ++this.#lastId;
    if (this.#closed !== null) return { id, done: Promise.reject(this.#closed) };
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(id, { resolve, reject, onProgress });
    this.#post({ id, call, params });
    return { id, done: promise as Promise<StretchCalls[K]["answer"]> };
  }

  #post(message: unknown): void {
    this.#worker ??= this.#start();
    this.#worker.then((worker) => {
      if (this.#closed === null || (message as { call?: string }).call === "stop") {
        worker.postMessage(message);
      }
    }, (error) => this.#fail(error));
  }

  async #start(): Promise<Worker> {
    const { libraryPath, cacheDir, budgetBytes = BUDGET_BYTES } = this.#options;
    const init: StretchInit = { libraryPath: await libraryPath(), cacheDir, budgetBytes };
    const worker = new Worker(new URL("./stretch_worker.ts", import.meta.url), {
      type: "module",
      name: "stretch",
    });
    worker.onmessage = (event: MessageEvent<StretchReply>) => this.#receive(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`The worker that stretches ended: ${event.message}`));
    };
    worker.postMessage(init);
    return worker;
  }

  #receive(reply: StretchReply): void {
    if ("ready" in reply) return;
    if (reply.id === 0 && "error" in reply) return this.#fail(fromWire(reply.error));
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return;
    if ("progress" in reply) return pending.onProgress?.(reply.progress);
    this.#pending.delete(reply.id);
    if ("error" in reply) pending.reject(fromWire(reply.error));
    else pending.resolve(reply.answer);
  }

  /** Nothing more will be answered. */
  #fail(error: Error): void {
    this.#closed ??= error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

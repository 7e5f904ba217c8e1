/**
 * What the worker that stretches does with each request. Free of the worker itself, so that a test can hold it in hand.
 *
 * @module
 */
import type { ScanLibrary } from "./scan.ts";
import { renderKey, StretchCache } from "./stretch_cache.ts";
import type {
  RenderFile,
  RenderSubject,
  StretchCall,
  StretchCalls,
  StretchReply,
  StretchRequest,
} from "./stretch_protocol.ts";
import { findRender, makeRender } from "./stretch_task.ts";
import { Stretcher } from "./stretcher.ts";
import { CancelledError, type Steps, type Task, TaskQueue } from "./task_queue.ts";
import { toWire } from "./wire_error.ts";

/** Time between two words on how far a render is. */
const PROGRESS_MS = 100;
/** Looking for renders that may be there goes before making others. */
const FIND_PRIORITY = 1e9;

export interface StretchServiceOptions {
  library: ScanLibrary;
  cacheDir: string;
  budgetBytes: number;
  post: (reply: StretchReply) => void;
  /** Called when everything is closed. */
  stopped: () => void;
}

/** A request under way. */
interface Work {
  priority: number;
  task: Task<unknown> | null;
  isCancelled: boolean;
}

export class StretchService {
  readonly #options: StretchServiceOptions;
  readonly #cache: StretchCache;
  readonly #queue = new TaskQueue();
  readonly #works = new Map<number, Work>();

  constructor(options: StretchServiceOptions) {
    this.#options = options;
    this.#cache = new StretchCache(options.cacheDir, options.budgetBytes);
  }

  /** Handles one message; never throws. */
  handle(request: StretchRequest): void {
    if ("cancel" in request) return this.#cancel(request.cancel);
    if ("prioritise" in request) {
      const work = this.#works.get(request.prioritise);
      if (work === undefined) return;
      work.priority = request.priority;
      if (work.task !== null) work.task.priority = request.priority;
      return;
    }
    const { id } = request;
    this.#perform(request).then(
      (answer) => this.#options.post({ id, answer }),
      (error) => this.#options.post({ id, error: toWire(error) }),
    ).finally(() => this.#works.delete(id));
  }

  // deno-lint-ignore require-await -- what it throws is told too
  async #perform(request: Extract<StretchRequest, { call: StretchCall }>): Promise<unknown> {
    const { id } = request;
    switch (request.call) {
      case "find":
        return this.#find(this.#work(id, FIND_PRIORITY), request.params.subject);
      case "render":
        return this.#render(id, this.#work(id, request.params.priority), request.params.subject);
      case "learn":
        return this.#learn(request.params);
      case "release":
        return this.#cache.release(Uint8Array.fromHex(request.params.name));
      case "stop":
        return this.#stop();
    }
  }

  async #find(work: Work, subject: RenderSubject): Promise<RenderFile | null> {
    const found = await this.#run(work, findRender(this.#options.library, this.#cache, subject));
    return "info" in found ? null : found;
  }

  async #render(id: number, work: Work, subject: RenderSubject): Promise<RenderFile> {
    const { library, post } = this.#options;
    const found = await this.#run(work, findRender(library, this.#cache, subject));
    if (!("info" in found)) return found;
    const { channels, sampleRate } = found.info;
    const stretcher = await Stretcher.open(channels, sampleRate, subject.rate);
    let told = 0;
    const onProgress = (progress: number) => {
      const now = performance.now();
      if (now - told < PROGRESS_MS) return;
      told = now;
      post({ id, progress });
    };
    return await this.#run(work, makeRender(library, this.#cache, found, stretcher, onProgress));
  }

  #learn({ name, hash, rate }: StretchCalls["learn"]["params"]): void {
    this.#cache.alias(Uint8Array.fromHex(name), renderKey({ hash }, rate));
  }

  #work(id: number, priority: number): Work {
    const work = { priority, task: null, isCancelled: false };
    this.#works.set(id, work);
    return work;
  }

  async #run<T>(work: Work, steps: Steps<T>): Promise<T> {
    if (work.isCancelled) throw new CancelledError("Cancelled");
    const task = this.#queue.add(steps, work.priority);
    work.task = task;
    try {
      return await task.done;
    } finally {
      work.task = null;
    }
  }

  #cancel(id: number): void {
    const work = this.#works.get(id);
    if (work === undefined) return;
    work.isCancelled = true;
    work.task?.cancel();
  }

  #stop(): void {
    for (const id of [...this.#works.keys()]) this.#cancel(id);
    this.#queue.clear();
    this.#cache[Symbol.dispose]();
    // After the replies that the cancelled tasks still owe.
    setTimeout(this.#options.stopped, 0);
  }
}

/**
 * Work that outlives its request: renders now, relinks and proxies later.
 *
 * @module
 */
import type { Caller } from "../../api.ts";
import { EngineError } from "../../errors.ts";
import type { Notify } from "../../notices.ts";
import type { Job } from "../types.ts";

/** How long a finished job can still be asked for, in milliseconds. */
export const KEEP_MS = 3_600_000;
/** Least time between two progress notices of a job, in milliseconds. */
export const PROGRESS_MS = 200;
/** Most jobs that run at once; the others are `queued`. */
export const RUNNING = 2;
/** Most jobs that may wait or run. */
export const UNFINISHED = 1_000;

/** What a running job is given. */
export interface JobTask {
  /** Aborted when the job is cancelled or the engine closes. */
  readonly signal: AbortSignal;
  /** Reports the part that is done, 0 … 1. Cheap: most calls send nothing. */
  progress(done: number): void;
  /** Call it right before results become visible: from then on the job cannot be cancelled. Throws if it already was. */
  commit(): void;
}

interface Entry {
  readonly job: Job;
  readonly clientId: string;
  readonly abort: AbortController;
  readonly run: (task: JobTask) => Promise<unknown>;
  readonly isLight: boolean;
  committed: boolean;
  progressAt: number;
  finishedAt: number;
  /** Settles when the job's code has ended, cleaning up included, or will never begin. */
  readonly ended: PromiseWithResolvers<void>;
}

/** All jobs of an engine, in the order in which they were asked for. */
export class Jobs implements AsyncDisposable {
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  constructor(
    readonly notify: Notify,
    readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Adds a job, which starts as soon as fewer than {@linkcode RUNNING} others run, at the earliest in the next turn of the event loop.
   *
   * @param isLight It waits for something else, and takes no other's place.
   * @throws {EngineError} `limit.exceeded` if {@linkcode UNFINISHED} jobs already wait.
   */
  start(
    kind: string,
    caller: Caller,
    run: (task: JobTask) => Promise<unknown>,
    { isLight = false } = {},
  ): Job {
    if (this.#closed) throw new Error(`Cannot start a ${kind} job: the engine is closing`);
    this.#forget();
    const unfinished = [...this.#entries.values()].filter((entry) => !isFinished(entry.job));
    if (unfinished.length >= UNFINISHED) {
      throw new EngineError(
        "limit.exceeded",
        `Cannot start a ${kind} job: ${UNFINISHED} already wait; cancel some or wait`,
        { limit: "jobs", value: UNFINISHED },
      );
    }
    const job: Job = { jobId: crypto.randomUUID(), kind, state: "queued", progress: 0 };
    this.#entries.set(job.jobId, {
      job,
      clientId: caller.clientId,
      abort: new AbortController(),
      run,
      isLight,
      committed: false,
      progressAt: -Infinity,
      finishedAt: Infinity,
      ended: Promise.withResolvers(),
    });
    queueMicrotask(() => this.#next());
    return { ...job };
  }

  /** Jobs that have not been forgotten yet. */
  list(): Job[] {
    this.#forget();
    return [...this.#entries.values()].map(({ job }) => ({ ...job }));
  }

  /** @throws {EngineError} `job.notFound`. */
  get(jobId: string): Job {
    return { ...this.#entry(jobId).job };
  }

  /**
   * Cancels a job: nothing of it will appear. A job that has finished, or whose results are just appearing, stays what it is.
   *
   * @throws {EngineError} `job.notFound`.
   */
  cancel(jobId: string): Job {
    const entry = this.#entry(jobId);
    if (!isFinished(entry.job) && !entry.committed) {
      if (entry.job.state === "queued") entry.ended.resolve();
      this.#finish(entry, { state: "cancelled" });
      entry.abort.abort(new DOMException("The job was cancelled", "AbortError"));
    }
    return { ...entry.job };
  }

  /** Cancels what has not finished and waits until all of it has cleaned up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { job } of this.#entries.values()) this.cancel(job.jobId);
    await this.settled();
  }

  /** Waits until all jobs of this moment have ended and cleaned up. */
  async settled(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => entry.ended.promise));
  }

  #entry(jobId: string): Entry {
    this.#forget();
    const entry = this.#entries.get(jobId);
    if (!entry) {
      throw new EngineError(
        "job.notFound",
        `Cannot find job ${jobId}: it never was, or finished over an hour ago`,
        { jobId },
      );
    }
    return entry;
  }

  #next(): void {
    let running = 0;
    for (const entry of this.#entries.values()) {
      if (entry.job.state === "running" && !entry.isLight) running++;
    }
    for (const entry of this.#entries.values()) {
      if (entry.job.state !== "queued" || !entry.isLight && running >= RUNNING) continue;
      if (!entry.isLight) running++;
      void this.#run(entry);
    }
  }

  async #run(entry: Entry): Promise<void> {
    entry.job.state = "running";
    this.#send(entry, "job.progress");
    const { signal } = entry.abort;
    try {
      const result = await entry.run({
        signal,
        progress: (done) => this.#progress(entry, done),
        commit: () => {
          signal.throwIfAborted();
          entry.committed = true;
        },
      });
      if (!isFinished(entry.job)) this.#finish(entry, { state: "done", progress: 1, result });
    } catch (error) {
      if (!isFinished(entry.job)) {
        this.#finish(entry, { state: "failed", error: asJobError(error) });
      }
    }
    entry.ended.resolve();
    this.#next();
  }

  #progress(entry: Entry, done: number): void {
    if (isFinished(entry.job)) return;
    entry.job.progress = Math.min(1, Math.max(entry.job.progress, done));
    const now = this.now();
    if (now - entry.progressAt < PROGRESS_MS) return;
    entry.progressAt = now;
    this.#send(entry, "job.progress");
  }

  #finish(entry: Entry, outcome: Partial<Job>): void {
    Object.assign(entry.job, outcome);
    entry.finishedAt = this.now();
    this.#send(entry, "job.finished");
    if (entry.job.kind.startsWith("render.")) this.#send(entry, "render.finished");
  }

  #send(entry: Entry, method: string): void {
    const { clientId, job } = entry;
    this.notify({ topic: "jobs", method, params: { job: { ...job } }, clientId });
  }

  #forget(): void {
    const before = this.now() - KEEP_MS;
    for (const [jobId, entry] of this.#entries) {
      if (entry.finishedAt < before) this.#entries.delete(jobId);
    }
  }
}

function isFinished(job: Job): boolean {
  return job.state === "done" || job.state === "failed" || job.state === "cancelled";
}

function asJobError(error: unknown): NonNullable<Job["error"]> {
  if (error instanceof EngineError) {
    return { code: error.code, message: error.message, details: error.details };
  }
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}

/**
 * The engine's side of the file worker.
 *
 * @module
 */
import { afterMs } from "../bounded.ts";
import {
  type FileKind,
  type FileMessage,
  type FileReply,
  type FileRequests,
  WORKER_UP,
} from "./files_protocol.ts";

/** How long a disk may take to answer, in milliseconds. */
export const ANSWER_MS = 3_000;
/** Most requests that one volume has under way: one that hangs holds up its own alone. */
export const UNDERWAY = 4;

/** A disk that did not answer in time. What was asked may still happen. */
export class SlowDisk extends Error {
  override name = "SlowDisk";
}

interface Pending {
  volume: string;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}
interface Waiting {
  message: FileMessage;
  transfer: Transferable[];
}

/** Asks the worker, each request bounded by time, requests of one volume by number. */
export class Files implements Disposable {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #underway = new Map<string, number>();
  #lastId = 0;
  #closed = false;
  /** What starts the clocks of requests that came before the worker was up; `null` once it is: a disk is bounded, not our own start. */
  #clocks: (() => void)[] | null = [];

  /** @param volumeOf Names what a path shares its fate with, such as the library root that it lies in. */
  constructor(readonly volumeOf: (path: string) => string = () => "") {
    this.#worker = new Worker(new URL("./files_worker.ts", import.meta.url), {
      type: "module",
      name: "files",
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FileReply>) => this.#onReply(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failAll(new Error(`The file worker stopped: ${event.message}`));
    };
  }

  /**
   * Sends a request that concerns `path`.
   *
   * @throws {SlowDisk} after `timeoutMs`; what was asked may still happen.
   */
  ask<Kind extends FileKind>(
    path: string,
    request: FileRequests[Kind]["request"] & { kind: Kind },
    { timeoutMs = ANSWER_MS, transfer = [] as Transferable[] } = {},
  ): Promise<FileRequests[Kind]["answer"]> {
    if (this.#closed) return Promise.reject(new Error(`Cannot look at ${path}: the engine closed`));
    const volume = this.volumeOf(path);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      let stopClock = () => {};
      const startClock = () => {
        if (!this.#pending.has(id)) return;
        stopClock = afterMs(timeoutMs, () => {
          this.#dropWaiting(volume, id);
          reject(new SlowDisk(`${path} did not answer within ${timeoutMs / 1_000} s`));
        });
      };
      this.#pending.set(id, {
        volume,
        resolve: (answer) => {
          stopClock();
          resolve(answer as FileRequests[Kind]["answer"]);
        },
        reject: (error) => {
          stopClock();
          reject(error);
        },
      });
      if (this.#clocks) this.#clocks.push(startClock);
      else startClock();
      const queue = this.#waiting.get(volume) ?? [];
      this.#waiting.set(volume, queue);
      queue.push({ message: { id, request }, transfer });
      this.#send(volume);
    });
  }

  /** Ends the worker; whatever is pending fails. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#worker.terminate();
    this.#failAll(new Error("The engine closed"));
  }

  #send(volume: string): void {
    const queue = this.#waiting.get(volume);
    while (queue && queue.length > 0 && (this.#underway.get(volume) ?? 0) < UNDERWAY) {
      const { message, transfer } = queue.shift()!;
      this.#underway.set(volume, (this.#underway.get(volume) ?? 0) + 1);
      this.#worker.postMessage(message, transfer);
    }
  }

  /** A request that timed out before it was sent never is; one under way keeps its place until it answers. */
  #dropWaiting(volume: string, id: number): void {
    const queue = this.#waiting.get(volume) ?? [];
    const index = queue.findIndex(({ message }) => message.id === id);
    if (index < 0) return;
    queue.splice(index, 1);
    this.#pending.delete(id);
  }

  #onReply({ id, answer, error }: FileReply): void {
    if (id === WORKER_UP) {
      const clocks = this.#clocks ?? [];
      this.#clocks = null;
      for (const start of clocks) start();
      return;
    }
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    this.#underway.set(pending.volume, this.#underway.get(pending.volume)! - 1);
    if (error === undefined) pending.resolve(answer);
    else pending.reject(new Error(error));
    this.#send(pending.volume);
  }

  #failAll(error: Error): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#waiting.clear();
    this.#underway.clear();
  }
}

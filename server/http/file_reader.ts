/**
 * The server's side of the file worker: files piece by piece, each step bounded by time.
 *
 * @module
 */
import { afterMs } from "../../engine/bounded.ts";
import { HttpError } from "./errors.ts";
import type {
  FileAnswers,
  FileFacts,
  FileMessage,
  FileReply,
  FileRequest,
} from "./file_protocol.ts";

/** A file that is open. */
export interface OpenFile {
  readonly facts: FileFacts;
  /** The bytes of `[start, end)`; when it is over either way, the file is closed. */
  stream(start: number, end: number): ReadableStream<Uint8Array<ArrayBuffer>>;
  close(): void;
}

const PIECE_BYTES = 256 * 1024;
/** How long a disk may take to open a file or to give one piece, in milliseconds. */
const ANSWER_MS = 10_000;
/** Steps that may hang on dead disks: beyond it nothing is begun, so that the threads of the worker do not run out. */
const MAX_HANGING = 16;

interface Pending {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

function closed(): HttpError {
  return new HttpError("engine.unavailable", "The engine is stopping");
}

/** Reads files through one worker, which starts with the first file. */
export class FileReader implements Disposable {
  #worker: Worker | null = null;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #hanging = 0;
  #streams = 0;
  #closed = false;

  /** Files that are being sent. */
  get streams(): number {
    return this.#streams;
  }

  /**
   * Opens a file.
   *
   * @param path Resolved: if links lead elsewhere by now, there is no such file.
   * @returns `null` if there is no such file, or it is not a plain one that may be read.
   * @throws {HttpError} `engine.unavailable` if its disk does not answer.
   */
  async open(path: string): Promise<OpenFile | null> {
    const opening = this.#ask({ kind: "open", path });
    const opened = await this.#within(opening, (late) => {
      if (late !== null) this.#close(late.fileId);
    });
    if (opened === null) return null;
    const { fileId, facts } = opened;
    return {
      facts,
      close: () => this.#close(fileId),
      stream: (start, end) => this.#stream(fileId, start, end),
    };
  }

  /** Ends the worker; streams under way break off. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#worker?.terminate();
    this.#worker = null;
    this.#failAll(closed());
  }

  #stream(
    fileId: number,
    start: number,
    end: number,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    let at = start;
    let isOver = false;
    this.#streams++;
    const finish = () => {
      if (isOver) return;
      isOver = true;
      this.#streams--;
      this.#close(fileId);
    };
    return new ReadableStream({
      pull: async (controller) => {
        try {
          const length = Math.min(PIECE_BYTES, end - at);
          const piece = await this.#within(
            this.#ask({ kind: "read", fileId, at, length }),
            () => {},
          );
          if (piece.length < length) throw new Error("the file became shorter while it was read");
          if (isOver) return;
          at += length;
          controller.enqueue(piece);
          if (at < end) return;
          finish();
          controller.close();
        } catch (error) {
          finish();
          controller.error(error);
        }
      },
      cancel: finish,
    }, { highWaterMark: 0 });
  }

  #close(fileId: number): void {
    // Closing cannot fail in a way that anyone could act on.
    void this.#ask({ kind: "close", fileId }).catch(() => {});
  }

  #ask<Request extends FileRequest>(request: Request): Promise<FileAnswers[Request["kind"]]> {
    if (this.#closed) return Promise.reject(closed());
    this.#worker ??= this.#start();
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      this.#worker?.postMessage({ id, request } satisfies FileMessage);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./file_worker.ts", import.meta.url), {
      type: "module",
      name: "http-files",
    });
    worker.onmessage = ({ data: { id, answer, error } }: MessageEvent<FileReply>) => {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) pending?.resolve(answer);
      else pending?.reject(new Error(error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#worker = null;
      this.#failAll(new Error(`The file worker stopped: ${event.message}`));
    };
    return worker;
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  /** Waits for a step, but not for ever; what comes late goes to `onLate`. */
  async #within<T>(step: Promise<T>, onLate: (answer: T) => void): Promise<T> {
    const unavailable = () =>
      new HttpError("engine.unavailable", "The file's disk does not answer", { reason: "slow" });
    if (this.#hanging >= MAX_HANGING) {
      step.then(onLate, () => {});
      throw unavailable();
    }
    const { promise: late, reject } = Promise.withResolvers<never>();
    const stop = afterMs(ANSWER_MS, () => {
      this.#hanging++;
      step.then(onLate, () => {}).finally(() => void this.#hanging--);
      reject(unavailable());
    });
    try {
      return await Promise.race([step, late]);
    } finally {
      stop();
    }
  }
}

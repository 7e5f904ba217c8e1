/**
 * Analysis of audio files, on a thread of its own: headers, peaks, waveforms, hashes.
 *
 * @module
 */
import type { NativeSourceInfo } from "../../ffi/source_info.ts";
import { withinMs } from "../bounded.ts";
import type {
  AnalysisCall,
  AnalysisCalls,
  AnalysisInit,
  AnalysisReply,
  AnalysisResult,
  MediaId,
  MediaInfo,
} from "./analysis_protocol.ts";
import type { PeakColumns, PeakQuery } from "./peak_query.ts";
import { thumbnailSvg } from "./thumbnail.ts";
import type { WaveformBits } from "./waveform_data.ts";
import type { WaveformRequest } from "./waveform_values.ts";
import { type WavesurferPeaks, wavesurferPeaks } from "./wavesurfer.ts";
import { fromWire } from "./wire_error.ts";

/** How the analysis is started. */
export interface AnalysisOptions {
  /** The native library's file. */
  libraryPath: string;
  /** The cold cache's folder; made when needed. */
  cacheDir: string;
  /** Bytes of finished peaks kept in memory, 128 MiB unless told. */
  memoryBytes?: number;
}

/** What became known about a file. */
export interface AnalysedRange {
  /** Frames from the start that are analysed. */
  analysedFrames: number;
  complete: boolean;
}

/** Columns with the validator that an HTTP answer carries. */
export interface AnalysedColumns extends PeakColumns {
  /** Of content state, range and planes; `null` while not complete. */
  etag: string | null;
}

export interface AnalyseOptions {
  /** Higher goes first, equals take turns; 0 unless told. */
  priority?: number;
  /** Called at the first part, about every 50 ms, and at the end. */
  onProgress?: (range: AnalysedRange) => void;
  signal?: AbortSignal;
}

export interface QueryOptions {
  /** How long samples may be read for, 50 ms unless told; columns that were not reached are NaN. */
  deadlineMs?: number;
}

interface Pending {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  onHashed?: (bytes: number) => void;
}

const STOP_MS = 2000;

/**
 * The analysis worker's client. Files are named by ids that the caller chooses.
 *
 * @example
 * ```ts no-eval
 * import { ensureLibrary } from "../../ffi/build.ts";
 * import { Analysis } from "./analysis.ts";
 *
 * await using analysis = await Analysis.start({
 *   libraryPath: await ensureLibrary(),
 *   cacheDir: "/tmp/cache",
 * });
 * const { frames } = await analysis.open("a1", "/music/song.wav");
 * await analysis.analyse("a1");
 * const { min, max } = await analysis.peaks("a1", { start: 0, end: frames, width: 800 });
 * ```
 */
export class Analysis implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<MediaId, Set<(range: AnalysedRange) => void>>();
  readonly #identities = new Map<MediaId, string>();
  #lastId = 0;
  #failure: Error | undefined;
  #stopping: Promise<void> | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<AnalysisReply>) => this.#receive(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`The analysis worker ended: ${event.message}`));
    };
  }

  /**
   * Starts the worker.
   *
   * @throws If the native library cannot be loaded there.
   */
  static async start(options: AnalysisOptions): Promise<Analysis> {
    const worker = new Worker(new URL("./analysis_worker.ts", import.meta.url), {
      type: "module",
      name: "analysis",
    });
    const analysis = new Analysis(worker);
    const ready = Promise.withResolvers<unknown>();
    analysis.#pending.set(0, ready);
    const init: AnalysisInit = {
      libraryPath: options.libraryPath,
      cacheDir: options.cacheDir,
      memoryBytes: options.memoryBytes ?? 2 ** 27,
    };
    worker.postMessage(init);
    try {
      await ready.promise;
    } catch (error) {
      worker.terminate();
      throw error;
    }
    return analysis;
  }

  /**
   * Reads a file's header and takes the id for it. The same id again forgets what was under it and ends what was under way: so a
   * changed file is opened anew.
   *
   * @param known What was known of the file before. Where it cannot be read now but its peaks are in the cache, they stay to be seen.
   * @throws {EngineError} `asset.notFound`, `asset.unsupported`, `asset.unreadable`.
   */
  async open(mediaId: MediaId, path: string, known?: NativeSourceInfo): Promise<MediaInfo> {
    const info = await this.#call("open", { mediaId, path, known });
    this.#identities.set(mediaId, info.identity);
    return info;
  }

  /**
   * Makes the peaks of an open file, or finds them in the cache. Queries are answered meanwhile, as far as it has come. Several calls for
   * one file share the work.
   *
   * @throws {EngineError} If the file cannot be read, or changes meanwhile.
   * @throws The signal's reason if it is cancelled, `CancelledError` if the file is closed.
   */
  async analyse(
    mediaId: MediaId,
    { priority = 0, onProgress, signal }: AnalyseOptions = {},
  ): Promise<AnalysisResult> {
    const stop = onProgress === undefined ? undefined : this.onAnalysed(mediaId, onProgress);
    try {
      return await this.#call("analyse", { mediaId, priority }, { signal });
    } finally {
      stop?.();
    }
  }

  /** Changes the priority of an analysis under way. */
  prioritise(mediaId: MediaId, priority: number): Promise<void> {
    return this.#call("prioritise", { mediaId, priority });
  }

  /** Calls back whenever more (after damage to the cache: less) of a file is analysed, until the returned function is called. */
  onAnalysed(mediaId: MediaId, listener: (range: AnalysedRange) => void): () => void {
    const listeners = this.#listeners.get(mediaId) ?? new Set();
    this.#listeners.set(mediaId, listeners);
    // Wrapped, so that one function may listen twice.
    const entry = (range: AnalysedRange) => listener(range);
    listeners.add(entry);
    return () => {
      listeners.delete(entry);
      if (listeners.size === 0 && this.#listeners.get(mediaId) === listeners) {
        this.#listeners.delete(mediaId);
      }
    };
  }

  /**
   * A range in so many columns; `peak_query.ts` says how exact they are.
   *
   * @throws {RangeError} If the query is out of range.
   */
  async peaks(
    mediaId: MediaId,
    query: PeakQuery,
    { deadlineMs = 50 }: QueryOptions = {},
  ): Promise<AnalysedColumns> {
    const identity = this.#identities.get(mediaId);
    const columns = await this.#call("peaks", { mediaId, query, deadlineMs });
    const { start, end, width, complete } = columns;
    const planes = typeof query.channels === "object"
      ? query.channels.join(".")
      : query.channels ?? "all";
    const etag = complete && identity !== undefined
      ? `"${identity.slice(0, 24)}-p1-${start}-${end}-${width}-${planes}"`
      : null;
    return { ...columns, etag };
  }

  /**
   * The BBC's waveform-data format, binary or JSON. It needs no finished analysis, but is quicker after one where `samplesPerPixel` is a
   * multiple of 256.
   *
   * @throws {RangeError} If `samplesPerPixel` is out of range.
   * @throws {EngineError} `limit.exceeded` if it would be too large.
   */
  waveform(
    mediaId: MediaId,
    request: WaveformRequest & { bits: WaveformBits; form: "dat" | "json"; signal?: AbortSignal },
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { samplesPerPixel, split, bits, form, signal } = request;
    const params = { mediaId, request: { samplesPerPixel, split }, bits, form };
    return this.#call("waveform", params, { signal });
  }

  /** Peaks for wavesurfer.js over a whole file; points that are not known yet are 0. */
  async wavesurfer(
    mediaId: MediaId,
    { frames, sampleRate, points }: { frames: number; sampleRate: number; points: number },
  ): Promise<WavesurferPeaks & { complete: boolean }> {
    const columns = await this.peaks(mediaId, { start: 0, end: frames, width: points });
    return { ...wavesurferPeaks(columns, frames / sampleRate), complete: columns.complete };
  }

  /** A picture of a whole file's mono mix. */
  async thumbnail(
    mediaId: MediaId,
    { frames, width, height }: { frames: number; width: number; height: number },
  ): Promise<{ svg: string; complete: boolean }> {
    const query = { start: 0, end: frames, width, channels: "mix" } as const;
    const { min, max, complete } = await this.peaks(mediaId, query);
    return { svg: thumbnailSvg({ min: min[0], max: max[0] }, width, height), complete };
  }

  /**
   * Builds the seek index of a compressed file where the cache does not have it; goes on only while there is nothing to analyse.
   *
   * @returns Its file in the cache; `null` where there is none.
   * @throws {EngineError} If the file cannot be read, or changed since it was opened.
   */
  index(mediaId: MediaId, { signal }: { signal?: AbortSignal } = {}): Promise<string | null> {
    return this.#call("index", { mediaId }, { signal });
  }

  /**
   * SHA-256 of the file, in hex; goes on only while nothing else is to do.
   *
   * @throws {EngineError} If the file changed since it was opened.
   */
  hash(
    mediaId: MediaId,
    { onProgress, signal }: { onProgress?: (bytes: number) => void; signal?: AbortSignal } = {},
  ): Promise<string> {
    return this.#call("hash", { mediaId }, { signal, onHashed: onProgress });
  }

  /** Forgets a file. What is under way for it ends with `CancelledError`. */
  async close(mediaId: MediaId): Promise<void> {
    this.#identities.delete(mediaId);
    await this.#call("close", { mediaId });
  }

  /** Ends everything. What is pending is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    if (this.#failure === undefined) {
      const stopped = this.#call("stop", {}).catch(() => {});
      this.#failure = new Error("The analysis is closed");
      // A file on a dead volume may hold the thread: it is left to its fate then.
      await withinMs(stopped, STOP_MS, undefined);
    }
    this.#fail(new Error("The analysis is closed"));
    this.#worker.terminate();
  }

  #call<K extends AnalysisCall>(
    call: K,
    params: AnalysisCalls[K]["params"],
    { signal, onHashed }: { signal?: AbortSignal; onHashed?: (bytes: number) => void } = {},
  ): Promise<AnalysisCalls[K]["answer"]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const abort = () => {
      this.#worker.postMessage({ cancel: id });
      this.#pending.delete(id);
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    const settled = () => signal?.removeEventListener("abort", abort);
    this.#pending.set(id, {
      resolve: (value) => (settled(), resolve(value)),
      reject: (error) => (settled(), reject(error)),
      onHashed,
    });
    this.#worker.postMessage({ id, call, params });
    return promise as Promise<AnalysisCalls[K]["answer"]>;
  }

  #receive(reply: AnalysisReply): void {
    if ("analysed" in reply) {
      const { mediaId, analysedFrames, complete } = reply.analysed;
      for (const listener of [...this.#listeners.get(mediaId) ?? []]) {
        listener({ analysedFrames, complete });
      }
      return;
    }
    const id = "ready" in reply ? 0 : reply.id;
    const pending = this.#pending.get(id);
    if (pending === undefined) return; // cancelled meanwhile
    if ("hashedBytes" in reply) {
      pending.onHashed?.(reply.hashedBytes);
      return;
    }
    this.#pending.delete(id);
    if ("error" in reply) pending.reject(fromWire(reply.error));
    else pending.resolve("answer" in reply ? reply.answer : undefined);
  }

  /** Nothing more will be answered. */
  #fail(error: Error): void {
    this.#failure = error;
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

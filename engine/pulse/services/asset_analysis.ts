/**
 * What assets look like: analysis of each as it is registered, and the queries that draw on it.
 *
 * @module
 */
import type { BytesAnswer, PeaksColumns, PeaksQuery } from "../../api.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import type { Analysis } from "../../media/analysis.ts";
import type { MediaInfo } from "../../media/analysis_protocol.ts";
import { MAX_COLUMNS } from "../../media/columns.ts";
import { CancelledError } from "../../media/task_queue.ts";
import type { Asset } from "../types.ts";

/** A waveform as clients ask for it. */
export interface WaveformParams {
  bits: 8 | 16;
  samplesPerPixel: number;
  split: boolean;
}

export interface AssetAnalysisOptions {
  /** The analysis thread, which may still be starting. */
  analysis: Promise<Analysis>;
  /** @throws {EngineError} `asset.notFound`. */
  assetOf: (assetId: string) => Asset;
  /** More of an asset is analysed: `analysedSamples` from its start. */
  onProgress: (assetId: string, analysedSamples: number, lengthSamples: number) => void;
  /** An asset is analysed to its end. */
  onReady: (
    assetId: string,
    result: { peakCache: string | null; lengthSamples: number },
  ) => void;
  onHash: (assetId: string, hash: string) => void;
  onError: (assetId: string, error: EngineError) => void;
}

/** A file under analysis. */
interface Open {
  info: Promise<MediaInfo>;
  generation: number;
  /** Whether its samples are being read, were read to the end, or came from the cache or not at all. */
  reading: "underway" | "whole" | "not";
}

/** Analyses assets in the order in which they come; a query's asset is analysed when it has not been yet. */
export class AssetAnalysis {
  readonly #options: AssetAnalysisOptions;
  readonly #open = new Map<string, Open>();
  readonly #listeners = new Map<string, Set<() => void>>();
  #underway = 0;
  #closed = false;

  constructor(options: AssetAnalysisOptions) {
    this.#options = options;
    options.analysis.catch(() => {}); // Each request hears of it.
  }

  /** How many assets are being analysed. */
  get state(): { underway: number; open: number } {
    return { underway: this.#underway, open: this.#open.size };
  }

  /** How far an asset's samples have been read. */
  reading(assetId: string): Open["reading"] {
    return this.#open.get(assetId)?.reading ?? "not";
  }

  /** Analyses an asset, anew if its file is another than before. */
  begin(asset: Asset): void {
    this.#opened(asset, true).info.catch(() => {}); // Told by `#analyse`.
  }

  /** Forgets an asset; what is under way for it ends. */
  drop(assetId: string): void {
    if (!this.#open.delete(assetId)) return;
    void this.#options.analysis.then((analysis) => analysis.close(assetId)).catch(() => {});
  }

  /** Puts the analyses of some assets before those of lower priority; registration is 0. */
  prioritise(assetIds: Iterable<string>, priority: number): void {
    const open = [...assetIds].filter((assetId) => this.#open.has(assetId));
    if (open.length === 0) return;
    void this.#options.analysis.then((analysis) => {
      // One that has ended, or was closed meanwhile, is none to be prioritised.
      for (const assetId of open) analysis.prioritise(assetId, priority).catch(() => {});
    }, () => {});
  }

  /** Tells nothing any more. */
  close(): void {
    this.#closed = true;
    this.#listeners.clear();
  }

  /** Forgets all assets: another project is open. */
  dropAll(): void {
    for (const assetId of this.#open.keys()) this.drop(assetId);
    this.#listeners.clear();
  }

  /** Calls back whenever more of an asset is analysed, until the returned function is called. */
  onAnalysed(assetId: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(assetId) ?? new Set();
    this.#listeners.set(assetId, listeners);
    const own = () => listener();
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(assetId) === listeners) {
        this.#listeners.delete(assetId);
      }
    };
  }

  /**
   * `[start, end)` of an asset in exactly `width` columns, the whole of it by default.
   *
   * @throws {InvalidParams} @throws {EngineError} `asset.notFound`, `asset.unreadable`, `asset.unsupported`.
   */
  async peaks(assetId: string, query: PeaksQuery): Promise<PeaksColumns> {
    const { frames } = await this.#info(assetId);
    const start = query.start ?? 0;
    const end = query.end ?? Math.max(frames, start + 1);
    requireColumns(query.width, "width");
    if (!Number.isFinite(start)) throw new InvalidParams(["start"], `must be finite, not ${start}`);
    if (!Number.isFinite(end) || end <= start) {
      throw new InvalidParams(["end"], `must be greater than start (${end} <= ${start})`);
    }
    const analysis = await this.#options.analysis;
    return await refusing(["channels"], () =>
      analysis.peaks(assetId, {
        start,
        end,
        width: query.width,
        ...(query.channels === undefined ? {} : { channels: query.channels }),
      }));
  }

  /** @throws {InvalidParams} @throws {EngineError} as {@linkcode peaks}, and `limit.exceeded`. */
  waveformDat(assetId: string, params: WaveformParams): Promise<BytesAnswer> {
    return this.#waveform(assetId, params, "dat");
  }

  /** @throws {InvalidParams} @throws {EngineError} as {@linkcode peaks}, and `limit.exceeded`. */
  waveformJson(assetId: string, params: WaveformParams): Promise<BytesAnswer> {
    return this.#waveform(assetId, params, "json");
  }

  /** @throws {InvalidParams} @throws {EngineError} as {@linkcode peaks}. */
  async wavesurferJson(assetId: string, { points }: { points: number }): Promise<BytesAnswer> {
    requireColumns(points, "points");
    const { frames, sampleRate, identity } = await this.#info(assetId);
    const analysis = await this.#options.analysis;
    const { peaks, duration, complete } = await analysis.wavesurfer(assetId, {
      frames: Math.max(1, frames),
      sampleRate,
      points,
    });
    return {
      bytes: new TextEncoder().encode(JSON.stringify({ peaks, duration })),
      complete,
      etag: complete ? `"${identity.slice(0, 24)}-s1-${points}"` : null,
    };
  }

  /** @throws {InvalidParams} @throws {EngineError} as {@linkcode peaks}. */
  async waveformSvg(
    assetId: string,
    { width, height }: { width: number; height: number },
  ): Promise<{ svg: string; complete: boolean }> {
    requireColumns(width, "width");
    requireColumns(height, "height");
    const { frames } = await this.#info(assetId);
    const analysis = await this.#options.analysis;
    return await analysis.thumbnail(assetId, { frames: Math.max(1, frames), width, height });
  }

  async #waveform(
    assetId: string,
    { bits, samplesPerPixel, split }: WaveformParams,
    form: "dat" | "json",
  ): Promise<BytesAnswer> {
    const { identity } = await this.#info(assetId);
    const analysis = await this.#options.analysis;
    const bytes = await refusing(
      ["samplesPerPixel"],
      () => analysis.waveform(assetId, { bits, samplesPerPixel, split, form }),
    );
    const etag = `"${identity.slice(0, 24)}-w1-${form}-${bits}-${samplesPerPixel}-${split}"`;
    return { bytes, complete: true, etag };
  }

  #info(assetId: string): Promise<MediaInfo> {
    return this.#opened(this.#options.assetOf(assetId), false).info;
  }

  /** The asset's file as the analysis has it open; opened, and its analysis begun, where it is not. */
  #opened(asset: Asset, anew: boolean): Open {
    const { assetId, path, generation } = asset;
    const known = this.#open.get(assetId);
    if (known && !(anew && known.generation !== generation)) return known;
    const open: Open = {
      generation,
      reading: "underway",
      info: this.#options.analysis.then((analysis) => analysis.open(assetId, path)),
    };
    this.#open.set(assetId, open);
    void this.#analyse(assetId, open);
    return open;
  }

  async #analyse(assetId: string, open: Open): Promise<void> {
    const isCurrent = () => !this.#closed && this.#open.get(assetId) === open;
    const { onProgress, onReady, onHash, onError } = this.#options;
    this.#underway++;
    try {
      const analysis = await this.#options.analysis;
      const { frames } = await open.info;
      const result = await analysis.analyse(assetId, {
        onProgress: ({ analysedFrames, complete }) => {
          if (!isCurrent()) return;
          if (!complete) onProgress(assetId, analysedFrames, frames);
          this.#tell(assetId);
        },
      });
      open.reading = result.cached ? "not" : "whole";
      if (!isCurrent()) return;
      onReady(assetId, { peakCache: result.peakFile, lengthSamples: result.frames });
      this.#tell(assetId);
      await analysis.index(assetId);
      if (!isCurrent() || this.#options.assetOf(assetId).hash !== null) return;
      const hash = await analysis.hash(assetId);
      if (isCurrent()) onHash(assetId, hash);
    } catch (error) {
      if (!isCurrent()) return;
      // The next query tries again: the file may be back by then.
      this.#open.delete(assetId);
      if (error instanceof EngineError) onError(assetId, error);
      else if (!(error instanceof CancelledError)) {
        onError(assetId, new EngineError("asset.unreadable", String(error), { assetId }));
      }
    } finally {
      this.#underway--;
    }
  }

  #tell(assetId: string): void {
    for (const listener of [...this.#listeners.get(assetId) ?? []]) listener();
  }
}

function requireColumns(value: number, field: string): void {
  if (!Number.isInteger(value) || value < 1 || value > MAX_COLUMNS) {
    throw new InvalidParams([field], `must be an integer from 1 to ${MAX_COLUMNS}, not ${value}`);
  }
}

/** Says of a range error which parameter it is about. */
async function refusing<Answer>(path: string[], ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidParams(path, error.message);
    throw error;
  }
}

/**
 * ClipWindows: stretches of assets that clients want resident (`clipWindow.*` of API.md).
 *
 * @module
 */
import type { Caller, ClipWindowParams } from "../../api.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import type { Notify } from "../../notices.ts";
import type { SignalApi, SignalWindow } from "../../signal/signal_api.ts";
import type { Asset } from "../types.ts";
import type { HeldSource } from "./asset_holds.ts";

/** Time between two looks at windows, in milliseconds. */
export const TICK_MS = 100;

export interface ClipWindowsOptions {
  signal: () => SignalApi;
  /** @throws {EngineError} `asset.notFound`. */
  asset: (assetId: string) => Asset;
  /** The asset of a clip, if there is such a clip. */
  clipAsset: (clipId: string) => string | undefined;
  /** Keeps an asset's source open. */
  hold: (assetId: string) => Promise<HeldSource>;
  notify: Notify;
}

interface Entry {
  readonly windowId: string;
  readonly clientId: string;
  readonly window: SignalWindow;
  readonly held: HeldSource;
  /** All of it was resident once, and that was told. */
  complete: boolean;
}

/** The windows of the open project. */
export class ClipWindows implements Disposable {
  readonly #options: ClipWindowsOptions;
  readonly #entries = new Map<string, Entry>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #closed = false;

  constructor(options: ClipWindowsOptions) {
    this.#options = options;
  }

  /**
   * Asks for a stretch of an asset, in its own samples, to become and stay resident.
   *
   * @returns whether all of it is resident already. `stream.prefetchComplete` tells once it is, in either case.
   * @throws {InvalidParams} @throws {EngineError} `asset.notFound`, `timeline.notFound`, `asset.unreadable`, `cache.budget`, `limit.exceeded`.
   */
  async request(
    params: ClipWindowParams,
    { clientId }: Caller,
  ): Promise<{ windowId: string; resident: boolean }> {
    const assetId = this.#assetOf(params);
    const { startSample, endSample, cohort, playRate = 1 } = params;
    if (!(playRate !== 0 && Math.abs(playRate) <= 4)) {
      throw new InvalidParams(["playRate"], `must be from -4 to 4 and not 0, not ${playRate}`);
    }
    requireRange(startSample, endSample, this.#options.asset(assetId));
    const held = await this.#options.hold(assetId);
    try {
      if (this.#closed) throw new Error("Cannot hold a window: its project was closed");
      const signal = this.#options.signal();
      const scale = signal.sampleRate / held.sampleRate;
      const window = signal.openWindow({
        assetId,
        startFrame: Math.floor(startSample * scale),
        endFrame: Math.ceil(Math.min(endSample, held.lengthSamples) * scale),
        cohort,
        rate: Math.abs(playRate),
      });
      const windowId = crypto.randomUUID();
      const entry: Entry = { windowId, clientId, window, held, complete: false };
      this.#entries.set(windowId, entry);
      this.#timer ??= setInterval(() => this.tick(), TICK_MS);
      return { windowId, resident: window.look() };
    } catch (error) {
      held.release();
      throw error;
    }
  }

  /** @throws {EngineError} `handle.notFound`. */
  release(windowId: string): void {
    const entry = this.#entries.get(windowId);
    if (entry === undefined) {
      throw new EngineError(
        "handle.notFound",
        `Cannot find window ${windowId}: it was released or never was`,
        { windowId },
      );
    }
    this.#end(entry);
  }

  /** Goes on with fetching, also where a file was replaced by another; called by itself while there are windows. */
  tick(): void {
    for (const entry of this.#entries.values()) {
      if (!entry.window.look() || entry.complete) continue;
      entry.complete = true;
      const { windowId, clientId } = entry;
      const method = "stream.prefetchComplete";
      this.#options.notify({ topic: "streams", method, params: { windowId }, clientId });
    }
  }

  /** Releases all: another project is open, or its renderer is a new one. */
  endAll(): void {
    for (const entry of [...this.#entries.values()]) this.#end(entry);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.endAll();
  }

  #assetOf({ assetId, clipId }: ClipWindowParams): string {
    if ((assetId === undefined) === (clipId === undefined)) {
      throw new InvalidParams(["assetId"], "either assetId or clipId must be given");
    }
    if (assetId !== undefined) return assetId;
    const found = this.#options.clipAsset(clipId!);
    if (found !== undefined) return found;
    throw new EngineError(
      "timeline.notFound",
      `Cannot hold a window of clip ${clipId}: there is none of that id`,
      { clipId },
    );
  }

  #end(entry: Entry): void {
    if (!this.#entries.delete(entry.windowId)) return;
    entry.window[Symbol.dispose]();
    entry.held.release();
    if (this.#entries.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** @throws {InvalidParams} */
function requireRange(startSample: number, endSample: number, asset: Asset): void {
  if (!Number.isSafeInteger(startSample) || startSample < 0) {
    throw new InvalidParams(["startSample"], `must be an integer from 0 on, not ${startSample}`);
  }
  if (Number.isSafeInteger(endSample) && endSample > startSample) return;
  throw new InvalidParams(
    ["endSample"],
    `must be an integer greater than startSample (${endSample} <= ${startSample}); ` +
      `the asset has ${asset.lengthSamples} samples`,
  );
}

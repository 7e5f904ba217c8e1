/**
 * Looks now and then whether disks will sustain playback in the next minute, and warns before they do not.
 *
 * @module
 */
import type { SignalApi } from "../../signal/signal_api.ts";
import { type AssetCost, demandOf } from "../demand.ts";
import {
  decideWarning,
  forecast,
  SMOOTHED_SECONDS,
  ThroughputMeter,
  type VolumeForecast,
  type Warned,
} from "../forecast.ts";
import type { TimelineModel } from "../timeline_model.ts";
import { volumeFolders } from "./volume_folders.ts";

/** How far is looked ahead, in seconds. */
const SPAN_SECONDS = 60;
/** Time between two looks, in milliseconds of the engine's clock; more where a look takes long. */
export const LOOK_MS = 2_000;
/** A look takes at most this part of the main thread's time. */
const MOST_SHARE = 0.01;

/** `forecast` of `diagnostics.get`. */
export interface Forecast {
  timeMs: number;
  spanSeconds: number;
  volumes: (VolumeForecast & { folder: string | null })[];
}

export interface DiskWatchOptions {
  signal: () => SignalApi;
  model: () => TimelineModel;
  /** What reading an asset costs; `undefined` where that is not known or the file is away. */
  costOf: (assetId: string) => AssetCost & { path: string } | undefined;
  warn: (code: string, message: string, details: Record<string, unknown>) => void;
  /** Milliseconds by which it is told how long a look takes; `performance.now` unless told. */
  stopwatch?: () => number;
}

/** Watches the disks of the open project. */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  readonly #meters = new Map<string, ThroughputMeter>();
  readonly #warned = new Map<string, Warned>();
  #forecast: Forecast | null = null;
  #nextMs = 0;

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  /** The latest one; `null` while nothing plays. */
  get forecast(): Forecast | null {
    return this.#forecast;
  }

  /** Begins anew: another renderer reads. */
  begin(): void {
    this.#meters.clear();
    this.#warned.clear();
    this.#forecast = null;
    this.#nextMs = 0;
  }

  /** Looks, if it is time; called a few times a second. */
  tick(): void {
    const signal = this.#options.signal();
    const nowMs = signal.nowMs();
    if (nowMs < this.#nextMs) return;
    const { stopwatch = () => performance.now() } = this.#options;
    const begun = stopwatch();
    this.#measure(signal);
    const position = signal.position();
    if (position.state === "playing") this.#look(signal, position, nowMs);
    else this.#forecast = null;
    this.#nextMs = nowMs + Math.max(LOOK_MS, (stopwatch() - begun) / MOST_SHARE);
  }

  #measure(signal: SignalApi): void {
    for (const { device, bytes, busyMs, decodedFrames, decodeMs } of signal.diagnosis.volumes()) {
      const volume = String(device);
      let meter = this.#meters.get(volume);
      if (meter === undefined) this.#meters.set(volume, meter = new ThroughputMeter());
      meter.look({ bytes, busyMs, decodedFrames, decodeMs });
    }
  }

  #look(
    signal: SignalApi,
    head: Pick<ReturnType<SignalApi["position"]>, "positionFrame" | "loop">,
    nowMs: number,
  ): void {
    const { model, costOf } = this.#options;
    const places = new Map<string, { path: string; volume: string }>();
    const demand = demandOf(model(), head, {
      spanSeconds: SPAN_SECONDS,
      costOf: (assetId) => {
        const cost = costOf(assetId);
        if (cost !== undefined) places.set(assetId, { path: cost.path, volume: cost.volume });
        return cost;
      },
      isResident: (assetId, startFrame, endFrame) =>
        signal.residentFrames(assetId, startFrame, endFrame - startFrame) >= endFrame - startFrame,
    });
    const unknown = { bytesPerSecond: null, decodeFramesPerSecond: null };
    const folders = volumeFolders(places.values());
    const volumes = forecast(
      demand,
      (volume) => this.#meters.get(volume)?.throughput ?? unknown,
      SMOOTHED_SECONDS,
    ).map((volume) => ({ ...volume, folder: folders.get(volume.volume) ?? null }));
    this.#forecast = { timeMs: nowMs, spanSeconds: demand.spanSeconds, volumes };
    for (const volume of volumes) this.#decide(volume, nowMs);
  }

  #decide(volume: Forecast["volumes"][number], nowMs: number): void {
    const before = this.#warned.get(volume.volume) ?? null;
    const { warn, warned } = decideWarning(volume.margin, before, nowMs);
    this.#warned.set(volume.volume, warned);
    if (!warn) return;
    const { folder, needBytesPerSecond, haveBytesPerSecond, margin, worstSecond } = volume;
    this.#options.warn(
      "disk.slow",
      `The disk of ${folder} may not sustain playback: the timeline needs ` +
        `${megabytes(needBytesPerSecond)} MB/s of it in the next minute and it gives ` +
        `${
          megabytes(haveBytesPerSecond!)
        } MB/s; mute tracks that play from it, move its files to a ` +
        "faster disk, or stop what else uses it",
      {
        volume: volume.volume,
        folder,
        needMbPerSecond: needBytesPerSecond / 1e6,
        haveMbPerSecond: haveBytesPerSecond! / 1e6,
        margin,
        worstSecond,
      },
    );
  }
}

function megabytes(bytes: number): string {
  const value = bytes / 1e6;
  return value >= 10 ? value.toFixed(0) : value.toFixed(value >= 1 ? 1 : 2);
}

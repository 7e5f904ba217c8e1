/**
 * Looks now and then whether disks will sustain playback in the next minute, and warns before they do not.
 *
 * @module
 */
import { Background } from "../../background.ts";
import { asIs, type PlayedOf } from "../../signal/played.ts";
import type { SignalApi } from "../../signal/signal_api.ts";
import { type AssetCost, type Demand, demanding } from "../demand.ts";
import {
  decideWarning,
  forecast,
  SMOOTHED_SECONDS,
  ThroughputMeter,
  type VolumeForecast,
  type Warned,
} from "../forecast.ts";
import type { TimelineModel } from "../timeline_model.ts";
import { Slices } from "../store/slices.ts";
import { VolumeFolders } from "./volume_folders.ts";

/** How far is looked ahead, in seconds. */
const SPAN_SECONDS = 60;
/** Time between the begins of two looks, in milliseconds of the engine's clock; more where a look takes long. */
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
  /** What clips really play; unless told, what they say. */
  played?: PlayedOf;
  warn: (code: string, message: string, details: Record<string, unknown>) => void;
  /** Milliseconds by which it is told how long a look takes; `performance.now` unless told. */
  stopwatch?: () => number;
  /** Gives others their turn during a look; {@linkcode Slices} unless told. */
  slices?: () => Pick<Slices, "turn">;
}

/** A look, which may take many turns. */
interface Look {
  readonly signal: SignalApi;
  readonly timeMs: number;
}

/** Watches the disks of the open project. */
export class DiskWatch implements AsyncDisposable {
  readonly #options: DiskWatchOptions;
  readonly #meters = new Map<string, ThroughputMeter>();
  readonly #warned = new Map<string, Warned>();
  #forecast: Forecast | null = null;
  #nextMs = 0;
  /** The one under way, unless it was dropped. */
  #look: Look | null = null;
  #looked: Promise<void> = Promise.resolve();
  readonly #background = new Background();

  constructor(options: DiskWatchOptions) {
    this.#options = options;
  }

  /** The latest one; `null` while nothing plays. */
  get forecast(): Forecast | null {
    return this.#forecast;
  }

  /** Begins anew: another renderer reads. A look that is under way is dropped. */
  begin(): void {
    this.#look = null;
    this.#meters.clear();
    this.#warned.clear();
    this.#forecast = null;
    this.#nextMs = 0;
  }

  /** Looks, if it is time and the look before has ended; called a few times a second. It goes on in slices. */
  tick(): void {
    const signal = this.#options.signal();
    const timeMs = signal.nowMs();
    if (this.#look !== null || timeMs < this.#nextMs) return;
    const look = this.#look = { signal, timeMs };
    this.#looked = this.#run(look);
    this.#background.run(this.#looked);
  }

  /** Resolves when the look under way has ended or was found to be dropped. */
  looked(): Promise<void> {
    return this.#looked;
  }

  /** Drops the look under way and waits until nothing is left of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#look = null;
    await this.#background.end();
  }

  async #run(look: Look): Promise<void> {
    const { stopwatch = () => performance.now(), slices: open = () => new Slices() } =
      this.#options;
    const slices = open();
    let begun = stopwatch();
    let tookMs = 0;
    try {
      this.#measure(look.signal);
      const steps = this.#steps(look.signal);
      for (let step = steps.next();; step = steps.next()) {
        if (step.done) return this.#tell(step.value, look);
        tookMs += stopwatch() - begun;
        await slices.turn();
        begun = stopwatch();
        if (this.#look !== look) return;
        if (this.#options.signal() !== look.signal) {
          this.#look = null;
          return;
        }
      }
    } finally {
      // One that was dropped has no say in when the next is due.
      if (this.#look === look) {
        tookMs += stopwatch() - begun;
        this.#nextMs = look.timeMs + Math.max(LOOK_MS, tookMs / MOST_SHARE);
        this.#look = null;
      }
    }
  }

  #measure(signal: SignalApi): void {
    for (const { device, bytes, busyMs, decodedFrames, decodeMs } of signal.diagnosis.volumes()) {
      const volume = String(device);
      let meter = this.#meters.get(volume);
      if (meter === undefined) this.#meters.set(volume, meter = new ThroughputMeter());
      meter.look({ bytes, busyMs, decodedFrames, decodeMs });
    }
  }

  /** What is needed, and what people call the volumes; `null` if nothing plays. */
  *#steps(
    signal: SignalApi,
  ): Generator<void, { demand: Demand; folders: VolumeFolders } | null> {
    const position = signal.position();
    if (position.state !== "playing") return null;
    const { model, costOf, played = asIs } = this.#options;
    const folders = new VolumeFolders();
    const demand = yield* demanding(model(), position, {
      spanSeconds: SPAN_SECONDS,
      played,
      costOf: (assetId) => {
        const cost = costOf(assetId);
        if (cost !== undefined) folders.add(cost);
        return cost;
      },
      isResident: (assetId, startFrame, endFrame) =>
        signal.residentFrames(assetId, startFrame, endFrame - startFrame) >= endFrame - startFrame,
    });
    return { demand, folders };
  }

  #tell(
    found: { demand: Demand; folders: VolumeFolders } | null,
    { signal, timeMs }: Look,
  ): void {
    // It may have stopped while it was looked at.
    if (found === null || signal.position().state !== "playing") {
      this.#forecast = null;
      return;
    }
    const { demand, folders } = found;
    const unknown = { bytesPerSecond: null, decodeFramesPerSecond: null };
    const volumes = forecast(
      demand,
      (volume) => this.#meters.get(volume)?.throughput ?? unknown,
      SMOOTHED_SECONDS,
    ).map((volume) => ({ ...volume, folder: folders.of(volume.volume) }));
    this.#forecast = { timeMs, spanSeconds: demand.spanSeconds, volumes };
    for (const volume of volumes) this.#decide(volume, timeMs);
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

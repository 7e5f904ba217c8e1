/**
 * The audio device: opening it behind the start, falling back where there is none, longer periods where one is not held, and coming back
 * when it was lost. What is decided stands in `device_return.ts` and `device_cadence.ts`; here it is done.
 *
 * @module
 */
import type { DeviceInfo, OpenDevice } from "../../api.ts";
import { withinMs } from "../../bounded.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import type { Notify } from "../../notices.ts";
import { BACKENDS } from "../../signal/device_records.ts";
import type { SignalApi } from "../../signal/signal_api.ts";
import {
  type CadenceSample,
  judgeCadence,
  longerPeriod,
  recentSamples,
  SETTLING_MS,
  standsStill,
} from "./device_cadence.ts";
import type { DeviceReason } from "./device_reasons.ts";
import {
  betterWay,
  type DeviceWish,
  replacementOf,
  retryDelayMs,
  type Way,
} from "./device_return.ts";
import { DeviceWatch } from "./device_watch.ts";

export type { DeviceWish };

/** How long an audio system may take before clients are told that it is slow, in milliseconds. */
export const SLOW_MS = 3_000;

export interface DevicesOptions {
  signal: () => SignalApi;
  notify: Notify;
  warn: (code: string, message: string, details: Record<string, unknown>) => void;
  /** Called whenever what plays has changed. */
  onChanged: () => void;
}

/** A latency that is another by this much, in seconds, and by more than a period, is told. */
const WORTH_TELLING_S = 0.003;

/** Audio systems whose period is not ours to choose. */
const PERIOD_IS_THEIRS: ReadonlySet<string> = new Set(["jack", "null"]);

/** One device at a time; requests to open one are done in the order in which they come. */
export class Devices {
  readonly #options: DevicesOptions;
  readonly #watch: DeviceWatch;
  /** What a person chose. */
  #wish: DeviceWish = {};
  /** What is open was opened with this. */
  #opened: DeviceWish = {};
  /** It is what was wished for, not a replacement. */
  #asWished = true;
  /** The audio system that worked last. */
  #lastBackend: string | null = null;
  /** When to look for something better than a replacement, and how often that was done. */
  #retry = { attempt: 0, atMs: 0 };
  /** Periods that had to be raised, by the device and what was asked for. */
  readonly #raised = new Map<string, number>();
  #samples: CadenceSample[] = [];
  #openedMs = 0;
  /** A longer period would not help, or was not given. */
  #periodIsLast = false;
  /** The chain of openings: each waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();
  #openings = 0;
  #measuring: Promise<void> | null = null;
  #told: OpenDevice | null = null;
  #closed = false;

  constructor(options: DevicesOptions) {
    this.#options = options;
    this.#watch = new DeviceWatch(options.signal);
  }

  /** Opens the wished device without waiting for it; falls to `null`, with a warning, where that fails. */
  begin(wish: DeviceWish): void {
    this.#wish = wish;
    void this.#enqueue(() => this.#openOrFall(wish, true, "open"));
  }

  /** Another renderer took over: the device goes from the one before to it. Resolves when the one before has none. */
  move(before: SignalApi): Promise<void> {
    const left = Promise.withResolvers<void>();
    void this.#chain(async () => {
      await before.closeDevice().catch(() => {}); // Lost already.
      left.resolve();
      if (!this.#closed) await this.#openOrFall(this.#wish, true, "reopened");
    });
    return left.promise;
  }

  async list(): Promise<DeviceInfo[]> {
    return await this.#watch.list();
  }

  current(): OpenDevice | null {
    const state = this.#options.signal().deviceState();
    if (state === null) return null;
    return { ...state, cadence: judgeCadence(this.#samples, state).framesPerSecond };
  }

  /**
   * Opens another device; what plays goes on there. If that fails the one before is opened again.
   *
   * @throws {EngineError} `device.unavailable`.
   */
  open(wish: DeviceWish): Promise<OpenDevice> {
    if (wish.backend !== undefined && !(BACKENDS as readonly string[]).includes(wish.backend)) {
      throw new InvalidParams(
        ["backend"],
        `must be one of ${BACKENDS.join(", ")}, not ${JSON.stringify(wish.backend)}`,
      );
    }
    const { period } = wish;
    if (period !== undefined && (!Number.isInteger(period) || period < 16 || period > 16_384)) {
      throw new InvalidParams(["period"], `must be an integer from 16 to 16384, not ${period}`);
    }
    const next = { period: this.#wish.period, ...wish };
    return this.#enqueue(async () => {
      const before = this.#opened;
      const wasAsWished = this.#asWished;
      this.#raised.delete(keyOf(next)); // It is asked for anew: it gets another chance.
      try {
        await this.#open(next);
        this.#wish = next;
        this.#asWished = true;
        return this.#tell("open")!;
      } catch (error) {
        await this.#openOrFall(before, wasAsWished, "reopened");
        throw asUnavailable(error, next);
      }
    });
  }

  /** Looks how the device does, whether it is still there, and what others there are; called twice a second. */
  tick(): void {
    if (this.#closed) return;
    if (this.#openings === 0 && this.#told !== null) this.#judge();
    this.#measure();
    // Who wants silence does not wait for devices.
    if (this.#wish.backend !== "null") void this.#look().catch(() => {}); // The next look will tell.
  }

  /** Resolves with true when nothing is being opened any more, or with false after `ms`. */
  async settled(ms: number): Promise<boolean> {
    return await withinMs(this.#last.then(() => true), ms, false);
  }

  /** Opens nothing any more and waits for what is being opened and asked. Says whether that has ended. */
  async close(): Promise<boolean> {
    this.#closed = true;
    const ended = Promise.all([this.#last, this.#measuring, this.#watch.settled()]);
    return await withinMs(ended.then(() => true), SLOW_MS, false);
  }

  // ---- looking

  /** Notices a device that is lost or stands still, or that does not hold its period. */
  #judge(): void {
    const signal = this.#options.signal();
    const state = this.current();
    const health = signal.deviceHealth();
    if (state === null) return;
    if (state.state === "lost") return this.#lose(state, "is gone");
    if (health === null) return;
    const nowMs = signal.nowMs();
    const sinceMs = Math.max(this.#openedMs, health.lastCallbackMs ?? 0);
    if (standsStill(nowMs, sinceMs, state)) return this.#lose(state, "no longer asks for sound");
    if (health.lastCallbackMs === null || nowMs < this.#openedMs + SETTLING_MS) return;
    this.#samples.push({ timeMs: nowMs, givenFrames: health.givenFrames });
    this.#samples = recentSamples(this.#samples);
    const { verdict, framesPerSecond } = judgeCadence(this.#samples, state);
    if (verdict === "slow") this.#raisePeriod(state, framesPerSecond!);
  }

  #lose(lost: OpenDevice, what: string): void {
    this.#told = null; // Once for each loss.
    const replacement = replacementOf(this.#wish, this.#lastBackend);
    this.#options.warn(
      "device.lost",
      `The device ${lost.name} ${what}; playback goes on with the default of ${replacement.backend}, ` +
        "or silently until there is one",
      { device: lost },
    );
    this.#watch.doubt(lost.backend);
    this.#tellState("lost", { ...lost, state: "lost" });
    void this.#enqueue(() =>
      this.#openOrFall(replacement, this.#wish.device === undefined, "reopened")
    );
  }

  #raisePeriod(slow: OpenDevice, framesPerSecond: number): void {
    this.#samples = [];
    if (this.#periodIsLast) return;
    const period = PERIOD_IS_THEIRS.has(slow.backend) ? null : longerPeriod(slow.periodFrames);
    const pace = `it asked for ${
      Math.round(framesPerSecond)
    } frames a second instead of ${slow.sampleRate}`;
    if (period === null) {
      this.#periodIsLast = true;
      this.#options.warn(
        "device.period",
        `The device ${slow.name} does not hold its period of ${slow.periodFrames} frames: ${pace}. ` +
          "Sound breaks up; choose a longer period where that can be chosen, or another device",
        { device: slow, framesPerSecond },
      );
      return;
    }
    void this.#enqueue(async () => {
      const wish = this.#opened;
      this.#raised.set(keyOf(wish), period);
      await this.#openOrFall(wish, this.#asWished, "period");
      const now = this.current();
      if (now === null || now.backend !== slow.backend) return;
      this.#periodIsLast = now.periodFrames <= slow.periodFrames;
      this.#options.warn(
        "device.period",
        `The device ${slow.name} did not hold a period of ${slow.periodFrames} frames: ${pace}. ` +
          `It now has one of ${now.periodFrames}`,
        { device: now, periodFrames: slow.periodFrames, framesPerSecond },
      );
    });
  }

  /** Asks the audio system how late the sound is and whether the device is there; one question at a time. */
  #measure(): void {
    if (this.#measuring !== null || this.#openings > 0) return;
    this.#measuring = this.#options.signal().measureDevice().then((times) => {
      const told = this.#told;
      const now = this.current();
      if (times === 0 || told === null || now === null || this.#openings > 0) return;
      const apart = Math.abs(now.latencyFrames - told.latencyFrames);
      if (apart <= Math.max(told.periodFrames, WORTH_TELLING_S * told.sampleRate)) return;
      this.#told = now;
      this.#tellState("latency");
    }, () => {}).finally(() => this.#measuring = null);
  }

  /** Tells what came and went; goes back to the wished device when it is there. */
  async #look(): Promise<void> {
    const nowMs = this.#options.signal().nowMs();
    const isDue = !this.#asWished && this.#openings === 0 && nowMs >= this.#retry.atMs;
    if (isDue) {
      this.#watch.hurry();
      this.#scheduleRetry();
    }
    const changed = await this.#watch.look();
    if (this.#closed) return;
    if (changed) this.#tellState("list");
    if (this.#asWished || this.#openings > 0 || !(isDue || changed)) return;
    const isSilent = this.#options.signal().deviceState()?.backend === "null";
    const listed = this.#watch.known ?? [];
    const way = betterWay(this.#wish, this.#lastBackend, listed, isSilent);
    if (way !== null) void this.#enqueue(() => this.#goBack(way));
  }

  #scheduleRetry(): void {
    const atMs = this.#options.signal().nowMs() + retryDelayMs(this.#retry.attempt);
    this.#retry = { attempt: this.#retry.attempt + 1, atMs };
  }

  // ---- opening

  /** Opens what is better than what is open; where that fails, what was open plays on and nobody hears of it. */
  async #goBack({ wish, asWished }: Way): Promise<void> {
    const before = this.#opened;
    try {
      await this.#open(wish);
      this.#asWished = asWished;
      this.#tell(asWished && this.#wish.device !== undefined ? "returned" : "reopened");
    } catch {
      if (this.#closed) return;
      try {
        await this.#open(before);
      } catch {
        await this.#openOrFall(before, false, "reopened");
      }
    }
  }

  #enqueue<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#chain(() => {
      if (this.#closed) throw new Error("Cannot open a device: the engine is closing");
      return work();
    });
  }

  #chain<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#openings++;
    const next = this.#last.then(work).finally(() => this.#openings--);
    this.#last = next.catch(() => {});
    return next;
  }

  async #openOrFall(wish: DeviceWish, asWished: boolean, reason: DeviceReason): Promise<void> {
    try {
      await this.#open(wish);
      this.#asWished = asWished;
    } catch (error) {
      if (wish.backend === "null" || this.#closed) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#options.warn(
        "device.unavailable",
        (this.#wish.backend ?? "auto") === "auto"
          ? "No sound: no audio device could be opened. The engine plays silently until there is one; " +
            "start a sound server or connect a device, then choose it"
          : `No sound: ${message}. Until there is a device, the engine plays silently`,
        { wish },
      );
      this.#asWished = false;
      this.#retry = { attempt: 0, atMs: 0 };
      this.#scheduleRetry();
      try {
        await this.#open({ backend: "null", period: wish.period });
        reason = "fallback";
      } catch {
        reason = "unavailable"; // The null device is a thread and a clock: without it nothing plays.
      }
    }
    this.#tell(reason);
  }

  async #open(wish: DeviceWish): Promise<void> {
    const slow = setTimeout(() =>
      this.#options.warn(
        "device.slow",
        `The audio system (${wish.backend ?? "auto"}) has not answered for ${SLOW_MS / 1_000} s; ` +
          "playback begins when it does",
        { wish },
      ), SLOW_MS);
    try {
      const period = this.#raised.get(keyOf(wish)) ?? wish.period;
      this.#samples = [];
      const { backend } = await this.#options.signal().openDevice({ ...wish, period });
      this.#opened = wish;
      this.#openedMs = this.#options.signal().nowMs();
      this.#periodIsLast = false;
      if (backend !== "null") this.#lastBackend = backend;
    } finally {
      clearTimeout(slow);
    }
  }

  #tell(reason: DeviceReason): OpenDevice | null {
    this.#told = this.current();
    this.#tellState(reason);
    this.#options.onChanged();
    return this.#told;
  }

  #tellState(reason: DeviceReason, device = this.current()): void {
    if (this.#closed) return;
    this.#options.notify({
      topic: "device",
      method: "device.changed",
      params: { device, reason },
    });
  }
}

/** What a raised period is remembered by. */
function keyOf({ backend, device, period }: DeviceWish): string {
  return JSON.stringify([backend ?? "auto", device ?? null, period ?? null]);
}

function asUnavailable(error: unknown, wish: DeviceWish): EngineError {
  if (error instanceof EngineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const name = wish.device ?? "the default device";
  return new EngineError(
    "device.unavailable",
    `Cannot open ${name} of ${wish.backend ?? "auto"}: ${message}`,
    { ...wish },
  );
}

/**
 * The audio device: opening it behind the start, falling back when there is none, and coming back when it is lost.
 *
 * @module
 */
import type { DeviceInfo, OpenDevice } from "../../api.ts";
import { withinMs } from "../../bounded.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import type { Notify } from "../../notices.ts";
import { BACKENDS } from "../../signal/device_records.ts";
import type { SignalApi } from "../../signal/signal_api.ts";

/** How long an audio system may take before clients are told that it is slow, in milliseconds. */
export const SLOW_MS = 3_000;

/** What is wished for; the system's default where something is left out. */
export interface DeviceWish {
  backend?: string;
  device?: string;
  period?: number;
}

export interface DevicesOptions {
  signal: () => SignalApi;
  notify: Notify;
  warn: (code: string, message: string, details: Record<string, unknown>) => void;
  /** Called whenever what plays has changed. */
  onChanged: () => void;
}

/** One device at a time; requests to open one are done in the order in which they come. */
export class Devices {
  readonly #options: DevicesOptions;
  #wish: DeviceWish = {};
  /** The chain of openings: each waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();
  #told: OpenDevice | null = null;
  #closed = false;

  constructor(options: DevicesOptions) {
    this.#options = options;
  }

  /** Opens the wished device without waiting for it; falls to `null`, with a warning, where that fails. */
  begin(wish: DeviceWish): void {
    this.#wish = wish;
    void this.#enqueue(() => this.#openOrFall(wish, "open"));
  }

  /** Another renderer took over: the device goes from the one before to it. Resolves when the one before has none. */
  move(before: SignalApi): Promise<void> {
    const left = Promise.withResolvers<void>();
    const work = this.#last.then(async () => {
      await before.closeDevice().catch(() => {}); // Lost already.
      left.resolve();
      if (!this.#closed) await this.#openOrFall(this.#wish, "reopened");
    });
    this.#last = work.catch(() => {});
    return left.promise;
  }

  async list(): Promise<DeviceInfo[]> {
    return await this.#options.signal().listDevices();
  }

  current(): OpenDevice | null {
    return this.#options.signal().deviceState();
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
      const before = this.#wish;
      try {
        const device = await this.#open(next);
        this.#wish = next;
        this.#tell("open");
        return device;
      } catch (error) {
        await this.#openOrFall(before, "reopened");
        throw asUnavailable(error, next);
      }
    });
  }

  /** Looks whether the device is still there; called now and then. */
  tick(): void {
    if (this.#closed || this.#told === null || this.current()?.state !== "lost") return;
    const lost = this.#told;
    this.#told = null; // Once for each loss.
    this.#options.warn(
      "device.lost",
      `The device ${lost.name} is gone; playback goes on with the system's default`,
      { device: lost },
    );
    this.#tellState("lost");
    void this.#enqueue(() =>
      this.#openOrFall({ backend: this.#wish.backend, period: this.#wish.period }, "reopened")
    );
  }

  /** Resolves with true when nothing is being opened any more, or with false after `ms`. */
  async settled(ms: number): Promise<boolean> {
    return await withinMs(this.#last.then(() => true), ms, false);
  }

  /** Opens nothing any more and waits for what is being opened. Says whether that has ended. */
  async close(): Promise<boolean> {
    this.#closed = true;
    return await this.settled(SLOW_MS);
  }

  #enqueue<Result>(work: () => Promise<Result>): Promise<Result> {
    const next = this.#last.then(() => {
      if (this.#closed) throw new Error("Cannot open a device: the engine is closing");
      return work();
    });
    this.#last = next.catch(() => {});
    return next;
  }

  async #openOrFall(wish: DeviceWish, reason: string): Promise<void> {
    try {
      await this.#open(wish);
    } catch (error) {
      if (wish.backend === "null" || this.#closed) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#options.warn(
        "device.unavailable",
        (wish.backend ?? "auto") === "auto"
          ? "No sound: no audio device could be opened. The engine plays silently; " +
            "start a sound server or connect a device, then choose it"
          : `No sound: ${message}. Until another device is chosen, the engine plays silently`,
        { wish },
      );
      try {
        await this.#open({ backend: "null", period: wish.period });
        reason = "fallback";
      } catch {
        reason = "unavailable"; // The null device is a thread and a clock: without it nothing plays.
      }
    }
    this.#tell(reason);
  }

  async #open(wish: DeviceWish): Promise<OpenDevice> {
    const slow = setTimeout(() =>
      this.#options.warn(
        "device.slow",
        `The audio system (${wish.backend ?? "auto"}) has not answered for ${SLOW_MS / 1_000} s; ` +
          "playback begins when it does",
        { wish },
      ), SLOW_MS);
    try {
      return await this.#options.signal().openDevice(wish);
    } finally {
      clearTimeout(slow);
    }
  }

  #tell(reason: string): void {
    this.#told = this.current();
    this.#tellState(reason);
    this.#options.onChanged();
  }

  #tellState(reason: string): void {
    if (this.#closed) return;
    this.#options.notify({
      topic: "device",
      method: "device.changed",
      params: { device: this.current(), reason },
    });
  }
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

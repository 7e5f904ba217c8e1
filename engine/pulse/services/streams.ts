/**
 * Streams: assets that are heard beside the timeline (`stream.*` of API.md).
 *
 * @module
 */
import type { Caller, StreamParams } from "../../api.ts";
import { EngineError, InvalidParams } from "../../errors.ts";
import type { Notify } from "../../notices.ts";
import { streamFrames } from "../../signal/side_stream.ts";
import type { SignalApi, SignalStream } from "../../signal/signal_api.ts";
import type { Asset, StreamHandle } from "../types.ts";
import type { HeldSource } from "./asset_holds.ts";
import type { Underruns } from "./underruns.ts";

/** Time between two notices of a stream's state, in milliseconds. */
export const TICK_MS = 100;
/** How far ahead of its head a stream is looked at, in seconds. */
const AHEAD_SECONDS = 10;

export interface StreamsOptions {
  signal: () => SignalApi;
  /** @throws {EngineError} `asset.notFound`. */
  asset: (assetId: string) => Asset;
  /** Keeps an asset's source open. */
  hold: (assetId: string) => Promise<HeldSource>;
  notify: Notify;
  underruns: Underruns;
}

interface Entry {
  readonly handle: StreamHandle;
  readonly clientId: string;
  readonly params: StreamParams;
  readonly signal: SignalApi;
  readonly sound: SignalStream;
  /** Once its source is open. */
  held: HeldSource | null;
  /** Where what is resident ahead of the head ended when it was last looked at, in frames. */
  residentTo: number;
}

/** The streams of the open project. Requests take effect in the order in which they are made; files are opened behind. */
export class Streams implements Disposable {
  readonly #options: StreamsOptions;
  readonly #entries = new Map<string, Entry>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #closed = false;

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /**
   * Lets an asset be heard. What goes wrong with its file is told by `stream.ended`.
   *
   * @throws {InvalidParams} @throws {EngineError} `asset.notFound`, `handle.notFound`, `limit.exceeded`.
   */
  start(params: StreamParams, { clientId }: Caller): StreamHandle {
    const { assetId, positionSamples = 0, replaces } = params;
    const asset = this.#options.asset(assetId);
    requirePosition(positionSamples, asset);
    const before = replaces === undefined ? null : this.#entry(replaces);
    const signal = this.#options.signal();
    const sound = before !== null && before.signal === signal ? before.sound : signal.openStream();
    if (before !== null) this.#forget(before, "replaced", before.sound === sound);
    const entry: Entry = {
      handle: {
        handleId: crypto.randomUUID(),
        assetId,
        positionSamples,
        timeMs: signal.nowMs(),
        state: "filling",
        lastReadMs: signal.nowMs(),
      },
      clientId,
      params,
      signal,
      sound,
      held: null,
      residentTo: 0,
    };
    this.#entries.set(entry.handle.handleId, entry);
    this.#timer ??= setInterval(() => this.tick(), TICK_MS);
    void this.#open(entry);
    return { ...entry.handle };
  }

  async #open(entry: Entry): Promise<void> {
    const { handle, params, signal, sound } = entry;
    try {
      const held = await this.#options.hold(handle.assetId);
      if (this.#entries.get(handle.handleId) !== entry) return held.release();
      entry.held = held;
      if (held.lengthSamples === 0) return this.#forget(entry, "end");
      requirePosition(handle.positionSamples, held);
      const { sampleRate } = signal;
      sound.play({
        assetId: handle.assetId,
        lengthFrames: streamFrames(held, sampleRate),
        startFrame: Math.floor(handle.positionSamples * sampleRate / held.sampleRate),
        loop: params.loop ?? false,
        gainDb: params.gainDb === undefined ? 0 : params.gainDb,
      });
      this.#look(entry);
    } catch (error) {
      if (this.#entries.get(handle.handleId) !== entry) return;
      const code = error instanceof EngineError
        ? error.code
        : error instanceof InvalidParams
        ? "position"
        : "failed";
      const message = error instanceof Error ? error.message : String(error);
      this.#forget(entry, code, false, message);
    }
  }

  /**
   * Fades a stream out.
   *
   * @throws {EngineError} `handle.notFound`.
   */
  stop(handleId: string, reason = "stopped"): void {
    this.#forget(this.#entry(handleId), reason);
  }

  /** All that sound or are about to. */
  list(): StreamHandle[] {
    for (const entry of this.#entries.values()) this.#look(entry);
    return [...this.#entries.values()].map(({ handle }) => ({ ...handle }));
  }

  /** Looks after all of them and tells how they are; called by itself. */
  tick(): void {
    for (const entry of [...this.#entries.values()]) {
      this.#look(entry);
      for (const event of entry.sound.drainEvents()) {
        if (event.kind === "end") this.#forget(entry, "end");
        else this.#options.underruns.onGap(event, entry.handle.handleId);
      }
      if (this.#entries.get(entry.handle.handleId) !== entry) continue;
      this.#tell(entry, "stream.state", { handle: { ...entry.handle } });
    }
  }

  /** Ends all of them: another project is open, or the engine ends. */
  endAll(reason: string): void {
    for (const entry of [...this.#entries.values()]) this.#forget(entry, reason);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.endAll("closed");
  }

  #look(entry: Entry): void {
    const { handle, held, signal, sound } = entry;
    if (held === null) return;
    const { positionFrame, timeMs, state } = sound.state();
    handle.positionSamples = Math.min(
      held.lengthSamples,
      Math.floor(positionFrame * held.sampleRate / signal.sampleRate),
    );
    handle.timeMs = timeMs;
    handle.state = state;
    const ahead = AHEAD_SECONDS * signal.sampleRate;
    const resident = positionFrame + signal.residentFrames(handle.assetId, positionFrame, ahead);
    if (resident > entry.residentTo || resident < positionFrame) {
      handle.lastReadMs = signal.nowMs();
    }
    entry.residentTo = resident;
  }

  #entry(handleId: string): Entry {
    const entry = this.#entries.get(handleId);
    if (entry === undefined) {
      throw new EngineError(
        "handle.notFound",
        `Cannot find stream ${handleId}: it has ended or never was`,
        { handleId },
      );
    }
    return entry;
  }

  #forget(entry: Entry, reason: string, keepSound = false, message?: string): void {
    const { handleId } = entry.handle;
    if (!this.#entries.delete(handleId)) return;
    if (this.#entries.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
    for (const event of keepSound ? [] : entry.sound.drainEvents()) {
      if (event.kind !== "end") this.#options.underruns.onGap(event, handleId);
    }
    this.#options.underruns.onStreamEnd(handleId);
    // What still fades holds its source by itself.
    entry.held?.release();
    if (!keepSound) void this.#end(entry);
    this.#tell(entry, "stream.ended", {
      handleId,
      reason,
      ...(message === undefined ? {} : { message }),
    });
  }

  /** Fades it out; a gap that stood open has ended by then. */
  async #end({ sound, handle, signal }: Entry): Promise<void> {
    await sound[Symbol.asyncDispose]();
    if (signal !== this.#options.signal()) return; // Its frames are nobody's any more.
    for (const event of sound.drainEvents()) {
      if (event.kind !== "end") this.#options.underruns.onLateGap(event, handle.handleId);
    }
  }

  #tell({ clientId }: Entry, method: string, params: unknown): void {
    if (!this.#closed) this.#options.notify({ topic: "streams", method, params, clientId });
  }
}

/** @throws {InvalidParams} */
function requirePosition(positionSamples: number, asset: { lengthSamples: number }): void {
  const { lengthSamples } = asset;
  if (
    Number.isSafeInteger(positionSamples) && positionSamples >= 0 &&
    (positionSamples < lengthSamples || lengthSamples === 0)
  ) return;
  throw new InvalidParams(
    ["positionSamples"],
    `must be an integer from 0 to ${Math.max(0, lengthSamples - 1)}, not ${positionSamples}`,
  );
}

/**
 * Play, pause, stop, seek and loop, and what clients hear of them.
 *
 * @module
 */
import { InvalidParams } from "../../errors.ts";
import type { Notify } from "../../notices.ts";
import type { HeadMapStep } from "../../signal/model.ts";
import type { PositionRecord, SignalApi, SignalEvent } from "../../signal/signal_api.ts";
import type { Frames, Loop, Transport } from "../types.ts";
import { type Head, type HeadStep, PendingSteps, runStep } from "./head.ts";
import type { Underruns } from "./underruns.ts";

/** Time between two position notices while playing, in milliseconds. */
export const TICK_MS = 1_000 / 30;
/** Time between two saves of the position while playing, in milliseconds. */
export const SAVE_MS = 2_000;

/** At what speed the transport plays when it plays; positions tell at which it moves. There is no other until it can be set. */
const SPEED = 1;

export type TransportReason =
  | "play"
  | "pause"
  | "stop"
  | "seek"
  | "loop"
  | "rate"
  | "edit"
  | "end"
  | "device";

/** What is kept over restarts. */
export interface KeptTransport {
  positionFrame: Frames;
  loop: Loop;
}

export interface TransportOptions {
  /** The renderer of the open project. */
  signal: () => SignalApi;
  notify: Notify;
  underruns: Underruns;
  /** Told of an asset that frames of a track are missing of. */
  onGap?: (assetId: string) => void;
  /** Called when the head was moved, or what it does was changed, by anything but playing. */
  onMoved?: () => void;
  /** Stores position and loop with the project. */
  save: (kept: KeptTransport) => void;
}

/** Frames that a request may name. */
function requireFrame(value: number, field: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new InvalidParams([field], `must be an integer from 0 to 2^53 − 1, not ${value}`);
  }
}

/** The one transport of the open project. Requests take effect in the order in which they are made. */
export class TransportService implements Disposable {
  readonly #options: TransportOptions;
  readonly #pending = new PendingSteps();
  #timer: ReturnType<typeof setInterval> | null = null;
  #told: { positionFrame: Frames; timeMs: number; playing: boolean } | null = null;
  #savedAtMs = 0;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** Takes the head to where the project was left, paused, on a renderer that is new. */
  begin(kept: KeptTransport | null): void {
    this.#pending.clear();
    this.#told = null;
    if (kept !== null) {
      this.#send({ kind: "seek", positionFrame: kept.positionFrame });
      this.#send({ kind: "loop", loop: kept.loop });
      this.#send({ kind: "play" }); // No device drives it yet: this makes it paused, not stopped.
      this.#send({ kind: "pause" });
    }
    this.#timer ??= setInterval(() => this.tick(), TICK_MS);
  }

  get(): Transport {
    const { record, head } = this.#now();
    return asTransport(record, head, this.#pending.any);
  }

  /** @throws {InvalidParams} */
  play({ fromFrame, toFrame }: { fromFrame?: Frames; toFrame?: Frames }): Transport {
    if (fromFrame !== undefined) requireFrame(fromFrame, "fromFrame");
    if (toFrame !== undefined) {
      requireFrame(toFrame, "toFrame");
      const from = fromFrame ?? this.#now().head.positionFrame;
      if (toFrame <= from) {
        throw new InvalidParams(
          ["toFrame"],
          `must be greater than where play begins (${toFrame} <= ${from})`,
        );
      }
    }
    return this.#do({ kind: "play", fromFrame, toFrame }, "play");
  }

  pause(): Transport {
    return this.#do({ kind: "pause" }, "pause");
  }

  stop(): Transport {
    return this.#do({ kind: "stop" }, "stop");
  }

  /** @throws {InvalidParams} */
  seek(positionFrame: Frames): Transport {
    requireFrame(positionFrame, "positionFrame");
    return this.#do({ kind: "seek", positionFrame }, "seek");
  }

  /** @throws {InvalidParams} */
  setLoop({ enabled, startFrame, endFrame }: Loop): Transport {
    requireFrame(startFrame, "startFrame");
    requireFrame(endFrame, "endFrame");
    if (enabled && endFrame <= startFrame) {
      throw new InvalidParams(
        ["endFrame"],
        `must be greater than startFrame (${endFrame} <= ${startFrame})`,
      );
    }
    return this.#do({ kind: "loop", loop: { enabled, startFrame, endFrame } }, "loop");
  }

  /** The head as it will be once all that was sent is heard. */
  get head(): Head {
    return this.#now().head;
  }

  /** Where the head will stand once all that was sent is heard. */
  get positionFrame(): Frames {
    return this.#now().head.positionFrame;
  }

  /**
   * Tells the transport that a revision is about to be published with a map. The renderer moves head and loop by itself.
   *
   * @returns where the head stands after it, and a function that tells clients what moved; the edit's own notice goes first.
   */
  publishing(
    revision: number,
    map: readonly HeadMapStep[],
  ): { positionFrame: Frames; tell: () => void } {
    const before = this.#now().head;
    if (map.length === 0) return { positionFrame: before.positionFrame, tell: () => {} };
    const step: HeadStep = { kind: "map", revision, map };
    const signal = this.#options.signal();
    const after = runStep(before, step);
    this.#pending.push(signal.position(), step);
    const loopOff = before.loop.enabled && !after.loop.enabled;
    const moved = before.positionFrame !== after.positionFrame ||
      before.loop.startFrame !== after.loop.startFrame ||
      before.loop.endFrame !== after.loop.endFrame;
    const tell = () => {
      if (!loopOff && !moved) return;
      this.#tellState(loopOff ? "loop" : "edit", true);
      this.#save();
    };
    return { positionFrame: after.positionFrame, tell };
  }

  /** Tells that the device changed under the head. */
  deviceChanged(): void {
    this.#tellState("device");
  }

  /** Drains the renderer's events and tells where the head stands; called 30 times a second. */
  tick(): void {
    for (const event of this.#options.signal().drainEvents()) this.#onEvent(event);
    this.#options.underruns.look();
    const record = this.#options.signal().position();
    const playing = record.state === "playing";
    const told = this.#told;
    const moved = told === null || record.positionFrame !== told.positionFrame;
    if (moved || (playing && record.timeMs !== told.timeMs) || playing !== told.playing) {
      this.#tellPosition(record);
    }
    if (playing && record.timeMs - this.#savedAtMs >= SAVE_MS) this.#save();
  }

  /** Stops telling. */
  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** What is kept over restarts, as of now. */
  kept(): KeptTransport {
    const { head } = this.#now();
    return { positionFrame: head.positionFrame, loop: head.loop };
  }

  #now(): { record: PositionRecord; head: Head } {
    const signal = this.#options.signal();
    const record = signal.position();
    return { record, head: this.#pending.predict(record) };
  }

  #do(step: HeadStep, reason: TransportReason): Transport {
    this.#send(step);
    const transport = this.#tellState(reason);
    this.#save();
    return transport;
  }

  #send(step: HeadStep): void {
    const signal = this.#options.signal();
    this.#pending.push(signal.position(), step);
    this.#tell(signal, step);
    this.#pending.sent(signal.position());
  }

  #tell(signal: SignalApi, step: HeadStep): void {
    switch (step.kind) {
      case "play":
        return signal.play(step.fromFrame, step.toFrame);
      case "pause":
        return signal.pause();
      case "stop":
        return signal.stop();
      case "seek":
        return signal.seek(step.positionFrame);
      case "loop":
        return signal.setLoop(step.loop);
      case "map":
        return; // Goes with its publication.
    }
  }

  #onEvent(event: SignalEvent): void {
    switch (event.kind) {
      case "gapBegin":
        if (event.assetId !== null) this.#options.onGap?.(event.assetId);
        return this.#options.underruns.onGap(event);
      case "gapEnd":
        return this.#options.underruns.onGap(event);
      case "end":
        this.#pending.ended();
        this.#tellState("end");
        return this.#save();
      case "lost":
        this.#options.underruns.onLost();
        this.#told = null;
        return;
      case "swap":
      case "wrap":
      case "loopOff":
      case "state":
        this.#told = null;
    }
  }

  /** @param jumps Whether the head was moved: what left the device before is of another timeline, also where the renderer is there already. */
  #tellState(reason: TransportReason, jumps = false): Transport {
    const transport = this.get();
    if (jumps && isElsewhere(transport)) transport.audibleFrame = transport.positionFrame;
    this.#options.notify({
      topic: "transport",
      method: "transport.state",
      params: { ...transport, reason },
    });
    this.#told = null;
    this.#options.onMoved?.();
    return transport;
  }

  #tellPosition(record: PositionRecord): void {
    const { positionFrame, audibleFrame, timeMs, rate, revision } = record;
    this.#told = { positionFrame, timeMs, playing: record.state === "playing" };
    this.#options.notify({
      topic: "transport",
      method: "transport.position",
      params: { positionFrame, audibleFrame, timeMs, rate, revision },
    });
  }

  #save(): void {
    this.#savedAtMs = this.#options.signal().nowMs();
    this.#options.save(this.kept());
  }
}

/** Whether the frame that left the device lies further from the head than the device's latency brings about. */
function isElsewhere({ positionFrame, audibleFrame, deviceLatencyFrames }: Transport): boolean {
  const behind = positionFrame - audibleFrame;
  return behind < 0 || behind > deviceLatencyFrames;
}

function asTransport(record: PositionRecord, head: Head, pending: boolean): Transport {
  return {
    state: head.state,
    positionFrame: head.positionFrame,
    audibleFrame: pending && head.positionFrame !== record.positionFrame
      ? head.positionFrame
      : record.audibleFrame,
    timeMs: record.timeMs,
    revision: record.revision,
    loop: head.loop,
    rate: SPEED,
    deviceLatencyFrames: record.latencyFrames,
  };
}

/**
 * The record of every gap that was heard, for `stream.underrun` and `diagnostics.underruns`.
 *
 * @module
 */
import type { Notify } from "../../notices.ts";
import type { Cause, SignalEvent } from "../../signal/signal_api.ts";
import type { Frames } from "../types.ts";

/** Most records that are kept; the oldest go first. */
export const KEPT = 1_000;

/** `stream.underrun` of API.md. */
export interface Underrun {
  underrunId: number;
  /** Of the stream that had no frames; else it was a track. */
  handleId?: string;
  trackId: string | null;
  clipId?: string;
  assetId: string | null;
  positionFrame: Frames;
  /** Frames that were missing; 0 until it has ended. */
  frames: Frames;
  timeMs: number;
  ended: boolean;
  cause: Cause;
  filledBy: "proxy" | "silence";
}

type GapEvent = Extract<SignalEvent, { kind: "gapBegin" | "gapEnd" }>;

/** Pairs the beginnings and ends of gaps. Ids count up from 1. */
export class Underruns {
  readonly #records: Underrun[] = [];
  readonly #open = new Map<string, Underrun>();
  #lastId = 0;

  constructor(readonly notify: Notify) {}

  /** Takes a gap's beginning or end, of a track or of a stream, and tells it. */
  onGap(event: GapEvent, handleId?: string): void {
    const key = handleId ?? `${event.trackId}\n${event.clipId}\n${event.assetId}`;
    const open = this.#open.get(key);
    if (event.kind === "gapBegin") {
      if (open === undefined) this.#begin(key, event, handleId);
      return;
    }
    const record = open ?? this.#begin(key, event, handleId);
    this.#open.delete(key);
    record.ended = true;
    record.frames = event.frames;
    this.#tell(record);
  }

  /** A stream has ended, and with it the gap that may stand open. */
  onStreamEnd(handleId: string): void {
    const record = this.#open.get(handleId);
    if (record === undefined) return;
    this.#open.delete(handleId);
    record.ended = true;
    this.#tell(record);
  }

  /**
   * Events were lost, the ends of gaps perhaps among them: gaps that stand open are told as ended, with no more frames than are known. Where one
   * goes on, its end is told as a gap of its own.
   */
  onLost(): void {
    for (const record of this.#open.values()) {
      record.ended = true;
      this.#tell(record);
    }
    this.#open.clear();
  }

  /** Records with an id greater than `afterId`, oldest first. `total` counts all since the start, forgotten ones included. */
  list({ afterId = 0, limit = 100 }: { afterId?: number; limit?: number }): {
    underruns: Underrun[];
    total: number;
  } {
    const underruns = this.#records.filter((record) => record.underrunId > afterId);
    return {
      underruns: underruns.slice(0, limit).map((record) => ({ ...record })),
      total: this.#lastId,
    };
  }

  #begin(key: string, event: GapEvent, handleId?: string): Underrun {
    const { trackId, clipId, assetId, positionFrame, timeMs, cause, filledBy } = event;
    const record: Underrun = {
      underrunId: ++this.#lastId,
      ...(handleId === undefined ? {} : { handleId }),
      trackId,
      ...(clipId === null ? {} : { clipId }),
      assetId,
      positionFrame,
      frames: 0,
      timeMs,
      ended: false,
      cause,
      filledBy,
    };
    this.#open.set(key, record);
    this.#records.push(record);
    if (this.#records.length > KEPT) this.#records.shift();
    if (event.kind === "gapBegin") this.#tell(record);
    return record;
  }

  #tell(record: Underrun): void {
    this.notify({ topic: "streams", method: "stream.underrun", params: { ...record } });
  }
}

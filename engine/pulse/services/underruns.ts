/**
 * The record of every gap that was heard, for `stream.underrun` and `diagnostics.underruns`.
 *
 * @module
 */
import type { Notify } from "../../notices.ts";
import type { PageFill, PageState } from "../../signal/diagnosis.ts";
import type { Cause, SignalEvent } from "../../signal/signal_api.ts";
import type { Frames } from "../types.ts";
import { FillNews, type Forensics, forensicsOf } from "./forensics.ts";

/** Most records that are kept; the oldest go first. */
export const KEPT = 1_000;

/** Most gaps whose page's news has not come yet, and how long it is waited for, in milliseconds: it comes within a moment, or never. */
const MOST_UNEXPLAINED = 256;
const NEWS_MS = 1_000;

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
  /** How the page that it began with was on its way. */
  forensics?: Forensics;
}

type GapEvent = Extract<SignalEvent, { kind: "gapBegin" | "gapEnd" }>;

/** Where it can be asked what became of pages. */
export interface PageNews {
  nowMs(): number;
  readonly sampleRate: number;
  readonly diagnosis: {
    takeFills(): PageFill[];
    page(source: number, frame: number): PageState | null;
  };
}

/** A gap and what it is a gap of. */
interface Entry {
  readonly record: Underrun;
  readonly source: number;
  readonly sourceFrame: number;
  readonly step: number;
  readonly dueMs: number;
  /** `null` while it lasts. */
  endMs: number | null;
}

/** Pairs the beginnings and ends of gaps, and says why they were. Ids count up from 1. */
export class Underruns {
  readonly #records: Underrun[] = [];
  readonly #open = new Map<string, Entry>();
  readonly #fills = new FillNews();
  readonly #unexplained = new Set<Entry>();
  readonly #pages: (() => PageNews) | null;
  #lastId = 0;
  #recordedFrames = 0;

  /** @param pages Without it no record says what became of its page. */
  constructor(readonly notify: Notify, pages: (() => PageNews) | null = null) {
    this.#pages = pages;
  }

  /** Missing frames that records of gaps tell that have ended, forgotten ones included. */
  get recordedFrames(): Frames {
    return this.#recordedFrames;
  }

  /** Whether gaps stand open. */
  get hasOpenGaps(): boolean {
    return this.#open.size > 0;
  }

  /** Takes a gap's beginning or end, of a track or of a stream, and tells it. */
  onGap(event: GapEvent, handleId?: string): void {
    const key = handleId ?? `${event.trackId}\n${event.clipId}\n${event.assetId}`;
    const open = this.#open.get(key);
    if (event.kind === "gapBegin") {
      if (open === undefined) this.#begin(key, event, handleId);
      return;
    }
    const entry = open ?? this.#begin(key, event, handleId);
    this.#end(key, entry, event);
    this.#tell(entry.record);
  }

  /** A stream has ended, and with it the gap that may stand open. */
  onStreamEnd(handleId: string): void {
    const entry = this.#open.get(handleId);
    if (entry === undefined) return;
    this.#open.delete(handleId);
    this.#close(entry);
    this.#tell(entry.record);
  }

  /** What a stream had to tell after its end: how long its last gap was. */
  onLateGap(event: GapEvent, handleId: string): void {
    if (event.kind !== "gapEnd") return;
    const record = this.#records.findLast((record) => record.handleId === handleId);
    if (record === undefined || record.filledBy !== event.filledBy) {
      return this.onGap(event, handleId);
    }
    record.frames += event.frames;
    this.#count(event);
  }

  /**
   * Events were lost, the ends of gaps perhaps among them: gaps that stand open are told as ended, with no more frames than are known. Where one
   * goes on, its end is told as a gap of its own.
   */
  onLost(): void {
    for (const entry of this.#open.values()) {
      this.#close(entry);
      this.#tell(entry.record);
    }
    this.#open.clear();
  }

  /** Takes in what became of pages meanwhile; called 30 times a second. */
  look(): void {
    this.#takeNews();
    for (const entry of [...this.#unexplained]) this.#explain(entry);
  }

  #takeNews(): void {
    if (this.#pages !== null) this.#fills.add(this.#pages().diagnosis.takeFills());
  }

  /** Another renderer, with other sources and pages: gaps that stand open are over. */
  begin(): void {
    for (const { record } of this.#open.values()) {
      record.ended = true;
      this.#tell(record);
    }
    this.#open.clear();
    this.#fills.clear();
    this.#unexplained.clear();
    this.#recordedFrames = 0;
  }

  /** Records with an id greater than `afterId`, oldest first. `total` counts all since the start, forgotten ones included. */
  list({ afterId = 0, limit = 100 }: { afterId?: number; limit?: number }): {
    underruns: Underrun[];
    total: number;
  } {
    this.look();
    for (const entry of this.#open.values()) this.#explain(entry);
    const underruns = this.#records.filter((record) => record.underrunId > afterId);
    return {
      underruns: underruns.slice(0, limit).map((record) => ({ ...record })),
      total: this.#lastId,
    };
  }

  #begin(key: string, event: GapEvent, handleId?: string): Entry {
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
    const { source = 0, sourceFrame = 0, step = 1 } = event;
    // Its beginning was not told where it begins with its end.
    const lasted = event.kind === "gapEnd" && this.#pages !== null
      ? event.frames / this.#pages().sampleRate * 1000
      : 0;
    const dueMs = timeMs - lasted;
    const entry: Entry = { record, source, sourceFrame, step, dueMs, endMs: null };
    this.#open.set(key, entry);
    this.#records.push(record);
    if (this.#records.length > KEPT) this.#records.shift();
    if (event.kind === "gapBegin") {
      this.#takeNews();
      this.#explain(entry);
      this.#tell(record);
    }
    return entry;
  }

  #end(key: string, entry: Entry, event: GapEvent): void {
    this.#open.delete(key);
    entry.endMs = event.timeMs;
    entry.record.ended = true;
    entry.record.frames = event.frames;
    this.#count(event);
    this.#takeNews();
    this.#explain(entry);
  }

  /** Ends a gap whose length is not known. */
  #close(entry: Entry): void {
    entry.endMs = this.#pages?.().nowMs() ?? entry.dueMs;
    entry.record.ended = true;
    this.#explain(entry);
  }

  #count(event: GapEvent): void {
    if (event.filledBy === "silence") this.#recordedFrames += event.frames;
  }

  /** Says what is known by now. */
  #explain(entry: Entry): void {
    if (this.#pages === null) return;
    const { record, source, sourceFrame, step, dueMs, endMs } = entry;
    const pages = this.#pages();
    const nowMs = pages.nowMs();
    // Where the head stands in the source, or stood when the gap ended: what came behind it did not help.
    const frames = ((endMs ?? nowMs) - dueMs) * pages.sampleRate / 1000;
    const lastFrame = sourceFrame + Math.round(Math.max(0, frames) * step);
    const state = this.#stateOf(source, sourceFrame, lastFrame);
    const gap = { dueMs, endMs, cause: record.cause, filledBy: record.filledBy };
    const [from, to] = step < 0 ? [lastFrame, sourceFrame] : [sourceFrame, lastFrame];
    const fills = this.#fills.of(source, from, to, dueMs);
    record.forensics = forensicsOf(gap, fills, state, nowMs);
    this.#unexplained.delete(entry);
    // News of a page that has just come may be a moment behind it. Of one that nobody waited for there are none.
    const isBehind = state !== null && state.resident !== "none" &&
      record.forensics.validMs === null;
    if (endMs === null || nowMs - endMs > NEWS_MS || !isBehind) return;
    this.#unexplained.add(entry);
    if (this.#unexplained.size <= MOST_UNEXPLAINED) return;
    this.#unexplained.delete(this.#unexplained.values().next().value!);
  }

  /** How the page is that a gap waits for: the one that it began with, or if nobody wants that any more, the one at the head. */
  #stateOf(source: number, firstFrame: number, lastFrame: number): PageState | null {
    if (source === 0 || this.#pages === null) return null;
    const { diagnosis } = this.#pages();
    const first = diagnosis.page(source, firstFrame);
    if (first === null || first.wait !== "unasked") return first;
    return diagnosis.page(source, lastFrame) ?? first;
  }

  #tell(record: Underrun): void {
    this.notify({ topic: "streams", method: "stream.underrun", params: { ...record } });
  }
}

/**
 * What Signal can tell about itself: how long things took, what fetching took where, and what became of pages that came late.
 *
 * @module
 */
import type { Cause } from "./signal_api.ts";

/** Frames by cause. */
export type CauseFrames = Record<Cause, number>;

/** Frames of one track. */
export interface TrackFrameCounts {
  readonly missing: CauseFrames;
  readonly faded: CauseFrames;
  /** Filled by a proxy. */
  readonly proxied: number;
}

/** Which durations are counted. All are in nanoseconds, but for `callbackShare`: parts of 1e9 of the period. */
export const HISTOGRAMS = [
  "callback",
  "callbackShare",
  "gateWait",
  "queueWaitRealtime",
  "queueWaitAnticipative",
  "read",
  "decode",
] as const;
export type HistogramName = typeof HISTOGRAMS[number];

/** A histogram since the start. */
export interface RawHistogram {
  readonly sum: number;
  readonly max: number;
  /** Of what lies above the bound before and at most at its own; the last above all bounds. */
  readonly counts: readonly number[];
}

/** What fetching took. */
export interface Fetched {
  /** Blocks: one read each of one or more adjacent pages. */
  readonly reads: number;
  /** Of files, as they lie on the disk. */
  readonly bytes: number;
  /** Waiting for the disk. */
  readonly readMs: number;
  /** Decoding, resampling, converting. */
  readonly decodeMs: number;
  /** Frames of compressed files that were decoded, at their own rate. */
  readonly decodedFrames: number;
  readonly fills: number;
  readonly errors: number;
  readonly stalls: number;
}

/** One volume, as far as sources lie on it. */
export interface VolumeStats extends Fetched {
  /** `st_dev`. */
  readonly device: number;
  /** Open sources on it. */
  readonly sources: number;
  /** Reads that hang there now. */
  readonly hanging: number;
  /** Time in which at least one thread read pages there. */
  readonly busyMs: number;
  /** Mean time that a block waited for it, the latest weighing most; 0 before the first. */
  readonly latencyMs: number;
  readonly longestMs: number;
}

/** A callback that took longer than its period. */
export interface Overrun {
  readonly number: number;
  readonly timeMs: number;
  readonly durationMs: number;
  readonly periodMs: number;
}

/** What became of a page, or a part of it, that came late or nearly so, or could not be read. Times are of the engine's clock. */
export interface PageFill {
  /** Native handle. */
  readonly source: number;
  readonly page: number;
  /** Frames `[fromFrame, toFrame)` of the source, at the project's rate. */
  readonly fromFrame: number;
  readonly toFrame: number;
  readonly askedMs: number;
  /** When it was put into the queue last, before a thread began. */
  readonly queuedMs: number;
  readonly begunMs: number;
  readonly endedMs: number;
  /** When it was expected to be needed; `null`: never in particular. */
  readonly dueMs: number | null;
  /** Of the whole block that it was read with. */
  readonly readMs: number;
  readonly decodeMs: number;
  /** `stalled`: it hangs; what becomes of the page in the end is told anew. */
  readonly outcome: "filled" | "failed" | "stalled";
  /** Of a failure, else 0. */
  readonly errno: number;
  readonly device: number;
}

/** How the page of a frame is right now. */
export interface PageState {
  readonly page: number;
  readonly device: number;
  readonly resident: "none" | "part" | "whole";
  readonly wait: "unasked" | "waiting" | "reading" | "stalled";
  readonly askedMs: number | null;
  readonly queuedMs: number | null;
  readonly begunMs: number | null;
}

/** What Signal tells for diagnostics; everything is since the start. */
export interface SignalDiagnosis {
  /** Bounds of all histograms, ascending. */
  readonly bounds: readonly number[];
  histograms(): Record<HistogramName, RawHistogram>;
  /** By asset, of all that was ever read of it. */
  fetched(): Map<string, Fetched>;
  volumes(): VolumeStats[];
  /** Since the last take; some are forgotten where more came than are remembered. */
  takeOverruns(): Overrun[];
  takeFills(): PageFill[];
  /** Of a frame of a source that is open, at the project's rate. */
  page(source: number, frame: number): PageState | null;
  /** Of tracks that are there, and of those that are gone. */
  tracks(): {
    tracks: Map<string, TrackFrameCounts>;
    removed: { missing: number; faded: number };
  };
  /** Of streams, those that have ended too. `unrecorded`: missing frames of gaps whose end was never told. */
  streams(): { missing: CauseFrames; faded: CauseFrames; unrecorded: number };
  /** Bytes of pages that windows want, and that they may. */
  windowBytes(): { wanted: number; most: number };
}

/** Nothing of any cause. */
export function noFrames(): CauseFrames {
  return { queue: 0, read: 0, decode: 0, stalled: 0, absent: 0, budget: 0 };
}

/** Sums of two. */
export function addFrames(a: CauseFrames, b: CauseFrames): CauseFrames {
  return {
    queue: a.queue + b.queue,
    read: a.read + b.read,
    decode: a.decode + b.decode,
    stalled: a.stalled + b.stalled,
    absent: a.absent + b.absent,
    budget: a.budget + b.budget,
  };
}

/** All causes together. */
export function sumFrames(frames: CauseFrames): number {
  const { queue, read, decode, stalled, absent, budget } = frames;
  return queue + read + decode + stalled + absent + budget;
}

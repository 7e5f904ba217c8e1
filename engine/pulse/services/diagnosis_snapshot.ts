/**
 * All that Signal counts at one moment, and what lies between two of them.
 *
 * @module
 */
import {
  type CauseFrames,
  type Fetched,
  type HistogramName,
  HISTOGRAMS,
  noFrames,
  type RawHistogram,
  sumFrames,
  type TrackFrameCounts,
  type VolumeStats,
} from "../../signal/diagnosis.ts";
import type { SignalApi } from "../../signal/signal_api.ts";
import { histogramSince, type HistogramView } from "./histogram_view.ts";

const CAUSES = Object.keys(noFrames()) as (keyof CauseFrames)[];

/** Everything that is counted, since the start. */
export interface DiagnosisSnapshot {
  timeMs: number;
  counters: Record<string, number>;
  tracks: Map<string, TrackFrameCounts>;
  removedTracks: { missing: number; faded: number };
  streams: { missing: CauseFrames; faded: CauseFrames; unrecorded: number };
  histograms: Record<HistogramName, RawHistogram>;
  fetched: Map<string, Fetched>;
  volumes: VolumeStats[];
  /** Missing frames that records of gaps tell, and whether gaps stand open, of which the record does not know how many yet. */
  recordedFrames: number;
  hasOpenGaps: boolean;
}

/** Counters that say how things are, not how often something happened: a reset does not change them. */
export const GAUGES: ReadonlySet<string> = new Set([
  "longestCallbackNs",
  "units",
  "unitsFree",
  "pagesResident",
  "queueLength",
  "openFiles",
  "horizonMs",
  "readAheadMs",
  "slowSources",
  "oldFramesAfterPublish",
  "voicesRefused",
  "fillThreads",
]);

/** As things are now. */
export function takeSnapshot(
  signal: SignalApi,
  { recordedFrames, hasOpenGaps }: Pick<DiagnosisSnapshot, "recordedFrames" | "hasOpenGaps">,
): DiagnosisSnapshot {
  const { diagnosis } = signal;
  const { tracks, removed } = diagnosis.tracks();
  return {
    timeMs: signal.nowMs(),
    counters: signal.counters(),
    tracks,
    removedTracks: removed,
    streams: diagnosis.streams(),
    histograms: diagnosis.histograms(),
    fetched: diagnosis.fetched(),
    volumes: diagnosis.volumes(),
    recordedFrames,
    hasOpenGaps,
  };
}

/** What was counted between two moments; `before` is `undefined` at the start. */
export class DiagnosisChange {
  constructor(
    readonly now: DiagnosisSnapshot,
    readonly before: DiagnosisSnapshot | undefined,
    /** When counting began. */
    readonly startedMs: number,
  ) {}

  /** Gauges stay as they are. */
  counters(): Record<string, number> {
    const before = this.before?.counters ?? {};
    return Object.fromEntries(
      Object.entries(this.now.counters).map(([name, value]) => [
        name,
        GAUGES.has(name) ? value : value - (before[name] ?? 0),
      ]),
    );
  }

  /** Of the timeline, by cause. */
  frames(kind: "missing" | "faded"): CauseFrames {
    const frames = noFrames();
    const counters = this.counters();
    for (const cause of CAUSES) frames[cause] = counters[`${kind}.${cause}`] ?? 0;
    return frames;
  }

  track(trackId: string): TrackFrameCounts & { missingFrames: number; fadedFrames: number } {
    const now = this.now.tracks.get(trackId);
    const before = this.before?.tracks.get(trackId);
    const missing = less(now?.missing, before?.missing);
    const faded = less(now?.faded, before?.faded);
    return {
      missing,
      faded,
      proxied: Math.max(0, (now?.proxied ?? 0) - (before?.proxied ?? 0)),
      missingFrames: sumFrames(missing),
      fadedFrames: sumFrames(faded),
    };
  }

  /** Of tracks that are gone. One that has come back since takes along what it had counted: then this falls, and the sum of all stays right. */
  removedTracks(): { missing: number; faded: number } {
    const before = { ...this.before?.removedTracks ?? { missing: 0, faded: 0 } };
    // What a track that has gone since then had counted before is no news of it.
    for (const [trackId, { missing, faded }] of this.before?.tracks ?? []) {
      if (this.now.tracks.has(trackId)) continue;
      before.missing += sumFrames(missing);
      before.faded += sumFrames(faded);
    }
    const { missing, faded } = this.now.removedTracks;
    return { missing: missing - before.missing, faded: faded - before.faded };
  }

  streams(): { missing: CauseFrames; faded: CauseFrames } {
    const { missing, faded } = this.now.streams;
    const before = this.before?.streams;
    return { missing: less(missing, before?.missing), faded: less(faded, before?.faded) };
  }

  /** Where missing frames of timeline and streams are told. */
  underrunFrames(): { recorded: number; unrecorded: number; open: number } {
    const lost = ({ counters, streams }: DiagnosisSnapshot) =>
      (counters.unrecordedFrames ?? 0) + streams.unrecorded;
    const recorded = this.now.recordedFrames - (this.before?.recordedFrames ?? 0);
    const unrecorded = lost(this.now) - (this.before === undefined ? 0 : lost(this.before));
    const missing = sumFrames(this.frames("missing")) + sumFrames(this.streams().missing);
    const open = this.now.hasOpenGaps ? Math.max(0, missing - recorded - unrecorded) : 0;
    return { recorded, unrecorded, open };
  }

  histograms(bounds: readonly number[]): Record<HistogramName, HistogramView> {
    const entries = HISTOGRAMS.map((name) => [
      name,
      histogramSince(
        bounds,
        this.now.histograms[name],
        this.before?.histograms[name],
        name === "callbackShare" ? "share" : "ms",
      ),
    ]);
    return Object.fromEntries(entries);
  }

  /** By asset. */
  fetched(): Map<string, Fetched> {
    return new Map(
      [...this.now.fetched].map(([assetId, now]) => [
        assetId,
        lessFetched(now, this.before?.fetched.get(assetId)),
      ]),
    );
  }

  volumes(): (VolumeStats & { sinceMs: number })[] {
    const sinceMs = this.now.timeMs - (this.before?.timeMs ?? this.startedMs);
    return this.now.volumes.map((now) => {
      const before = this.before?.volumes.find(({ device }) => device === now.device);
      return {
        ...now,
        ...lessFetched(now, before),
        busyMs: now.busyMs - (before?.busyMs ?? 0),
        sinceMs,
      };
    });
  }
}

function less(now: CauseFrames = noFrames(), before?: CauseFrames): CauseFrames {
  if (before === undefined) return now;
  return {
    queue: now.queue - before.queue,
    read: now.read - before.read,
    decode: now.decode - before.decode,
    stalled: now.stalled - before.stalled,
    absent: now.absent - before.absent,
    budget: now.budget - before.budget,
  };
}

function lessFetched(now: Fetched, before: Fetched | undefined): Fetched {
  return {
    reads: now.reads - (before?.reads ?? 0),
    bytes: now.bytes - (before?.bytes ?? 0),
    readMs: now.readMs - (before?.readMs ?? 0),
    decodeMs: now.decodeMs - (before?.decodeMs ?? 0),
    decodedFrames: now.decodedFrames - (before?.decodedFrames ?? 0),
    fills: now.fills - (before?.fills ?? 0),
    errors: now.errors - (before?.errors ?? 0),
    stalls: now.stalls - (before?.stalls ?? 0),
  };
}

/**
 * Diagnostics as an engine answers them, with figures that a test can tell apart.
 *
 * @module
 */
import type { Diagnostics } from "../../engine/pulse/services/diagnostics.ts";
import { HISTOGRAMS, noFrames } from "../../engine/signal/diagnosis.ts";

/** A whole answer; what a test is about replaces its members. */
export function madeDiagnostics(own: Partial<Diagnostics> = {}): Diagnostics {
  const histogram = (unit: "ms" | "share") => ({
    unit,
    bounds: [1, 10, 100],
    counts: [1, 2, 0, 1],
    count: 4,
    sum: 215,
    p50: 5.5,
    p99: 200,
    p999: 200,
    max: 200,
  });
  return {
    timeMs: 2_000,
    sinceMs: 0,
    counters: { missing: 3, frames: 48_000, units: 100, callbacks: 7 },
    missing: { ...noFrames(), read: 2, absent: 1 },
    faded: { ...noFrames(), read: 5 },
    tracks: [{
      trackId: 'a"b',
      missing: 1,
      faded: 0,
      proxied: 0,
      missingByCause: { ...noFrames(), absent: 1 },
      fadedByCause: noFrames(),
      impact: { readMs: 12, decodeMs: 3, bytes: 4_096 },
    }],
    removedTracks: { missing: 2, faded: 5 },
    streams: { missing: noFrames(), faded: noFrames() },
    histograms: Object.fromEntries(
      HISTOGRAMS.map((name) => [name, histogram(name === "callbackShare" ? "share" : "ms")]),
    ) as Diagnostics["histograms"],
    cache: {
      hits: 99,
      misses: 1,
      hitRate: 0.99,
      evictions: 4,
      budgetBytes: 1_638_400,
      residentBytes: 819_200,
      pinnedBytes: 0,
      horizonMs: 10_000,
    },
    anticipation: { wantedPages: 0, residentPages: 0, settled: true, isWhole: true, leadMs: 500 },
    volumes: [{
      volume: "2049",
      folder: "/media/x",
      bytes: 4_096,
      reads: 2,
      errors: 0,
      stalls: 1,
      stalled: false,
      bytesPerSecond: 1e6,
      busyShare: 0.25,
      latencyMs: 4,
      longestMs: 9,
    }],
    forecast: null,
    availability: { total: 0, changes: [] },
    overruns: { total: 0, overruns: [] },
    underruns: 1,
    underrunFrames: { recorded: 3, unrecorded: 0, open: 0 },
    memory: { rssBytes: 1, heapUsedBytes: 2, externalBytes: 3 },
    warnings: [],
    device: null,
    analysis: {},
    ...own,
  };
}

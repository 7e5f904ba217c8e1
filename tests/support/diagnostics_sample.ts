/**
 * Answers of `diagnostics.get` and `diagnostics.underruns` with all that they may hold, made by formulas: for looking at the panel, and for tests of
 * what it says of them.
 *
 * @module
 */
import type { z } from "zod";
import type { DiagnosticsSchema, UnderrunSchema } from "../../server/schema/diagnostics.ts";

type Diagnostics = z.output<typeof DiagnosticsSchema>;
type Underrun = z.output<typeof UnderrunSchema>;
type Histogram = NonNullable<Diagnostics["histograms"]>["read"];

/** 1, 1.5, 2, 3, 5, 7 in each decade from 1e-3 to 1e4, as the native half has them. */
const BOUNDS = Array.from(
  { length: 7 },
  (_, power) =>
    [1, 1.5, 2, 3, 5, 7].map((step) => Number((step * 10 ** (power - 3)).toPrecision(2))),
).flat()
  .concat(1e4);

/** A bell around `middle` with a tail upwards. */
function histogram(unit: "ms" | "share", middle: number, count: number, tail = 0): Histogram {
  const weights = [...BOUNDS, Infinity].map((bound, i) => {
    const at = Math.log10((BOUNDS[i - 1] ?? bound / 1.5) * 1.2 / middle);
    return Math.exp(-18 * at * at) + (at > 0 ? tail * Math.exp(-3 * at) : 0);
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const counts = weights.map((weight) => Math.round((count * weight) / sum));
  const all = counts.reduce((total, value) => total + value, 0);
  const quantile = (share: number) => {
    let seen = 0;
    return BOUNDS[Math.max(0, counts.findIndex((value) => (seen += value) >= share * all))] ?? 1e4;
  };
  return {
    unit,
    bounds: BOUNDS,
    counts,
    count: all,
    sum: all * middle,
    p50: all === 0 ? null : quantile(0.5),
    p99: all === 0 ? null : quantile(0.99),
    p999: all === 0 ? null : quantile(0.999),
    max: all === 0 ? null : BOUNDS[counts.findLastIndex((value) => value > 0)],
  };
}

const NO_FRAMES = { queue: 0, read: 0, decode: 0, stalled: 0, absent: 0, budget: 0 };

/** A look at the engine `second` seconds after it began, playing tracks of these ids; with trouble from the fortieth second on. */
export function sampleDiagnostics(second: number, trackIds: readonly string[]): Diagnostics {
  const trouble = Math.max(0, second - 40);
  const missing = {
    ...NO_FRAMES,
    read: Math.min(trouble, 3) * 2_400,
    queue: Math.min(trouble, 2) * 512,
  };
  const faded = { ...NO_FRAMES, read: Math.min(trouble, 3) * 960 };
  const sum = (frames: typeof missing) =>
    Object.values(frames).reduce((all, value) => all + value, 0);
  const wave = 1 + 0.25 * Math.sin(second / 5) + 0.1 * Math.sin(second * 2.3);
  const callbacks = 187.5 * second;
  const resident = Math.min(380e6, 2e7 + 9.4e6 * second);
  return {
    timeMs: 5_000 + 1_000 * second,
    sinceMs: 5_000,
    counters: {
      callbacks,
      frames: 256 * callbacks,
      callbackNs: callbacks * 310_000 * wave,
      longestCallbackNs: 1_900_000,
      lateCallbacks: trouble > 0 ? 1 : 0,
      missing: sum(missing),
      faded: sum(faded),
      bytesRead: 9.2e6 * second + 3e6 * Math.sin(second / 4),
      horizonMs: trouble > 0 && trouble < 6 ? 1_800 + 1_200 * trouble : 10_000,
      queueLength: Math.round(30 * wave),
      units: 30_517,
      unitsFree: 30_517 - Math.round(resident / 16_384),
      voicesRefused: 0,
    },
    missing,
    faded,
    tracks: trackIds.map((trackId, index) => ({
      trackId,
      missing: index === 0 ? sum(missing) : 0,
      faded: index === 0 ? sum(faded) : 0,
      proxied: index === 0 ? missing.queue : 0,
      missingByCause: index === 0 ? missing : NO_FRAMES,
      fadedByCause: index === 0 ? faded : NO_FRAMES,
      impact: {
        readMs: (420 * second) / (index + 1.5),
        decodeMs: (190 * second) / (3.2 - index * 0.8),
        bytes: (4.1e6 * second) / (index + 1),
      },
    })),
    removedTracks: { missing: 0, faded: 0 },
    streams: { missing: NO_FRAMES, faded: NO_FRAMES },
    underrunFrames: { recorded: sum(missing), unrecorded: 0, open: 0 },
    histograms: {
      callback: histogram("ms", 0.31, Math.round(callbacks), 0.004),
      callbackShare: histogram("share", 0.058, Math.round(callbacks), 0.004),
      queueWaitRealtime: histogram("ms", 0.12, 90 * second, 0.01),
      queueWaitAnticipative: histogram("ms", 9, 240 * second, 0.03),
      read: histogram("ms", 0.42, 310 * second, 0.02),
      decode: histogram("ms", 0.9, 280 * second, 0.005),
      gateWait: histogram("ms", 2.2, Math.round(second / 3), 0),
    },
    cache: {
      hits: 64 * callbacks,
      misses: trouble > 0 ? 41 : 0,
      hitRate: trouble > 0 ? 0.99997 : 1,
      evictions: Math.max(0, 40 * (second - 35)),
      budgetBytes: 500e6,
      residentBytes: resident,
      pinnedBytes: 41e6,
      horizonMs: 10_000,
    },
    volumes: [
      {
        volume: "8:1",
        folder: "/media/field/Episode 12",
        bytes: 7.1e6 * second,
        reads: 250 * second,
        errors: 0,
        stalls: trouble > 0 ? 2 : 0,
        stalled: false,
        bytesPerSecond: 31e6 * wave,
        busyShare: 0.23 * wave,
        latencyMs: 0.8 * wave,
        longestMs: trouble > 0 ? 412 : 21,
      },
      {
        volume: "0:47",
        folder: "/net/archive",
        bytes: 2.1e6 * second,
        reads: 60 * second,
        errors: 1,
        stalls: 1,
        stalled: trouble > 2,
        bytesPerSecond: 2.3e6,
        busyShare: 0.81,
        latencyMs: 44,
        longestMs: 2_310,
      },
    ],
    forecast: {
      timeMs: 5_000 + 1_000 * second,
      spanSeconds: 60,
      volumes: [
        {
          volume: "8:1",
          folder: "/media/field/Episode 12",
          needBytesPerSecond: 7.4e6,
          haveBytesPerSecond: 31e6,
          needDecodeFramesPerSecond: 96_000,
          haveDecodeFramesPerSecond: 2.1e6,
          margin: 4.2,
          worstSecond: 12,
        },
        {
          volume: "0:47",
          folder: "/net/archive",
          needBytesPerSecond: 2.5e6,
          haveBytesPerSecond: 2.3e6,
          needDecodeFramesPerSecond: 0,
          haveDecodeFramesPerSecond: null,
          margin: 0.92,
          worstSecond: 31,
        },
      ],
    },
    availability: {
      total: 2,
      changes: [
        { timeMs: 20_000, assetId: "unknown", offlineStatus: "missing", generation: 1 },
        { timeMs: 31_000, assetId: "unknown", offlineStatus: "present", generation: 2 },
      ],
    },
    overruns: {
      total: trouble > 0 ? 1 : 0,
      overruns: trouble > 0
        ? [{ overrunId: 1, timeMs: 46_100, durationMs: 6.1, periodMs: 5.33 }]
        : [],
    },
    memory: { rssBytes: 7.1e8, heapUsedBytes: 4.1e7, externalBytes: 5e6 },
    underruns: trouble > 0 ? 3 : 0,
    warnings: [{
      code: "disk.slow",
      message:
        "/net/archive gives 2.3 MB/s of the 2.5 MB/s that the next minute needs: copy its files to a faster disk, or make proxies.",
      details: {},
    }],
    device: {
      backend: "pulseaudio",
      device: null,
      name: "Built-in Audio",
      sampleRate: 48_000,
      periodFrames: 256,
      latencyFrames: 1_024,
      state: "running",
      cadence: 48_000 + 6 * Math.sin(second / 3),
    },
    analysis: null,
    anticipation: {
      wantedPages: 24_000,
      residentPages: Math.min(24_000, 600 * second),
      settled: second >= 40,
      isWhole: false,
      leadMs: 2_000,
    },
  };
}

/** The gaps of that trouble, on the first of these tracks. */
export function sampleUnderruns(second: number, trackIds: readonly string[]): Underrun[] {
  const causes = ["read", "queue", "stalled"] as const;
  return causes.map((cause, index) => ({
    underrunId: index + 1,
    trackId: trackIds[0] ?? null,
    assetId: "unknown",
    positionFrame: 48_000 * (12 + index),
    frames: index === 2 ? 0 : 2_400 - 900 * index,
    timeMs: 45_000 + 1_000 * index,
    ended: index < 2 || second > 60,
    cause,
    filledBy: index === 1 ? "proxy" : "silence",
    forensics: {
      page: 71 + index,
      volume: index === 2 ? "0:47" : "8:1",
      dueMs: 45_000 + 1_000 * index,
      askedMs: 44_100 + 1_000 * index,
      begunMs: index === 1 ? null : 44_300 + 1_000 * index,
      validMs: index === 0 ? 45_050 : null,
      queueWaitMs: index === 1 ? 980 : 200,
      readMs: index === 0 ? 742 : null,
      decodeMs: index === 0 ? 8.1 : null,
      lateByMs: index === 0 ? 50 : null,
      outcome: (["filled", "waiting", "stalled"] as const)[index],
      filledBy: index === 1 ? "proxy" : "silence",
      cause,
    },
  }));
}

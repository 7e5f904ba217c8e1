/**
 * Schemas of what `diagnostics.*` answers.
 *
 * @module
 */
import { z } from "zod";
import { FrameSchema, IdSchema } from "../../engine/pulse/schema.ts";
import { ms } from "./base.ts";
import { OpenDeviceSchema } from "./device.ts";

/** Why frames were missing. */
export const CauseSchema = z.enum(["queue", "read", "decode", "stalled", "absent", "budget"]);

/** Frames by cause: all six. */
export const CauseFramesSchema = z.strictObject({
  queue: z.number(),
  read: z.number(),
  decode: z.number(),
  stalled: z.number(),
  absent: z.number(),
  budget: z.number(),
});

/** How the frames of a gap were on their way. Times are of the engine's clock. */
export const ForensicsSchema = z.strictObject({
  /** Of the pages that frames were missing of, the first that came; while none has, the one that is waited for. By its number in the asset. */
  page: z.int().nullable(),
  /** Name of the volume that the file lies on, as in `diagnostics.get`. */
  volume: z.string().nullable(),
  /** When frames were first needed. */
  dueMs: ms,
  /** When the page was asked for, `null` if it was not or is not known. */
  askedMs: ms.nullable(),
  /** When a thread began to read it, `null` if none has. */
  begunMs: ms.nullable(),
  /** When its frames were there, `null` if they did not come while the gap lasted. */
  validMs: ms.nullable(),
  /** From being asked for to a thread's beginning, or until now if none has begun. */
  queueWaitMs: ms.nullable(),
  readMs: ms.nullable(),
  decodeMs: ms.nullable(),
  /** From when the frames were needed to when they were there. */
  lateByMs: ms.nullable(),
  /** `filled`: it came, late. `failed`: the read gave an error. `stalled`: the read hangs, or did. `waiting`: in the queue. `reading`: under way. `unasked`: nobody asked, or the request was dropped. */
  outcome: z.enum(["filled", "failed", "stalled", "waiting", "reading", "unasked"]),
  filledBy: z.enum(["proxy", "silence"]),
  cause: CauseSchema,
});

/** A gap that was heard. */
export const UnderrunSchema = z.strictObject({
  underrunId: z.int(),
  handleId: IdSchema.optional(),
  trackId: IdSchema.nullable().optional(),
  clipId: IdSchema.nullable().optional(),
  assetId: IdSchema.nullable(),
  positionFrame: FrameSchema,
  frames: FrameSchema,
  timeMs: ms,
  ended: z.boolean(),
  cause: CauseSchema,
  filledBy: z.enum(["proxy", "silence"]),
  forensics: ForensicsSchema.optional(),
});

/** A callback that took longer than its period. */
export const OverrunSchema = z.strictObject({
  overrunId: z.int(),
  timeMs: ms,
  durationMs: ms,
  periodMs: ms,
});

/** How often values fell between bounds. */
export const HistogramSchema = z.strictObject({
  /** Of bounds, sum, percentiles and max: milliseconds, or a share of the period (1 is all of it). */
  unit: z.enum(["ms", "share"]),
  /** Upper bounds of all buckets but the last, which has none; a value equal to a bound lies below it. */
  bounds: z.array(z.number()),
  /** One more than there are bounds. */
  counts: z.array(z.number()),
  count: z.number(),
  sum: z.number(),
  /** Within the resolution of the buckets; `null` without values. */
  p50: z.number().nullable(),
  p99: z.number().nullable(),
  p999: z.number().nullable(),
  max: z.number().nullable(),
});

/** What takes time, by how long it took. Counted from this client's reset. */
export const HistogramsSchema = z.strictObject({
  /** Time of one callback of the renderer. */
  callback: HistogramSchema,
  /** The same as a share of its period. */
  callbackShare: HistogramSchema,
  /** From a page's being asked for to a thread's beginning to read it, of what is about to be heard. */
  queueWaitRealtime: HistogramSchema,
  /** The same, of what is fetched ahead. */
  queueWaitAnticipative: HistogramSchema,
  /** Waiting for the disk, a block: one read of one or more adjacent pages. */
  read: HistogramSchema,
  /** Decoding, resampling and converting, a block. */
  decode: HistogramSchema,
  /** From an edit's or a transport command's publication until the renderer may take it. */
  gateWait: HistogramSchema,
});

/** The page cache. */
export const CacheSchema = z.strictObject({
  /** Voices rendered for one stretch of at most 512 frames with all of its frames resident. */
  hits: z.number(),
  /** Voices rendered with frames missing. */
  misses: z.number(),
  /** hits / (hits + misses); `null` where nothing was rendered. */
  hitRate: z.number().nullable(),
  evictions: z.number(),
  budgetBytes: z.number(),
  residentBytes: z.number(),
  /** Of pages that windows hold. */
  pinnedBytes: z.number(),
  /** How far ahead of all playing heads pages are asked for. */
  horizonMs: ms,
});

/** A disk, as far as assets lie on it. */
export const VolumeSchema = z.strictObject({
  /** Tells volumes apart. */
  volume: z.string(),
  /** The deepest folder that all of its open assets lie in. */
  folder: z.string().nullable(),
  bytes: z.number(),
  reads: z.number(),
  errors: z.number(),
  stalls: z.number(),
  /** A read hangs there now. */
  stalled: z.boolean(),
  /** While it was read from; `null` if it was not. */
  bytesPerSecond: z.number().nullable(),
  /** Part of the time in which somebody read from it, 0 … 1. */
  busyShare: z.number(),
  /** Mean time that a read waited for it, the latest ones weighing most. */
  latencyMs: ms.nullable(),
  /** The longest since it was first read from. */
  longestMs: ms.nullable(),
});

/** What fetching a track's assets took. What several tracks play is shared out by how many frames of it their clips have. */
export const ImpactSchema = z.strictObject({ readMs: ms, decodeMs: ms, bytes: z.number() });

/** What one volume must give in the next minute, and what it gave lately. */
export const VolumeForecastSchema = z.strictObject({
  volume: z.string(),
  folder: z.string().nullable(),
  /** The greatest mean over as long as is read ahead. */
  needBytesPerSecond: z.number(),
  /** While it was read from; `null` where too little was read to tell. */
  haveBytesPerSecond: z.number().nullable(),
  needDecodeFramesPerSecond: z.number(),
  /** Of one thread. */
  haveDecodeFramesPerSecond: z.number().nullable(),
  /** have / need; below 1 it cannot sustain playback. `null` where either is not known or nothing is needed. */
  margin: z.number().nullable(),
  /** Of the seconds from now, the one that needs most; `null` where nothing is needed. */
  worstSecond: z.int().nullable(),
});

/** An asset's file came, went, or was replaced. */
export const AvailabilityChangeSchema = z.strictObject({
  timeMs: ms,
  assetId: IdSchema,
  offlineStatus: z.enum(["present", "missing", "cloud", "pending"]),
  generation: z.int(),
});

/** Something that a person should know. */
export const WarningSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  details: z.unknown(),
});

/** Counters since a client's last reset; what a renderer counts is named by itself. */
export const DiagnosticsSchema = z.looseObject({
  timeMs: ms,
  sinceMs: ms,
  counters: z.record(z.string(), z.number()),
  /** Frames that were not there, by cause, of the timeline alone. */
  missing: CauseFramesSchema,
  /** Frames that were faded around those. */
  faded: CauseFramesSchema,
  tracks: z.array(z.looseObject({
    trackId: IdSchema,
    missing: z.number(),
    faded: z.number(),
    /** Frames that a proxy filled. */
    proxied: z.number(),
    missingByCause: CauseFramesSchema,
    fadedByCause: CauseFramesSchema,
    impact: ImpactSchema,
  })),
  /** Of tracks that are gone, and of streams. */
  removedTracks: z.strictObject({ missing: z.number(), faded: z.number() }),
  streams: z.strictObject({ missing: CauseFramesSchema, faded: CauseFramesSchema }),
  histograms: HistogramsSchema,
  cache: CacheSchema,
  volumes: z.array(VolumeSchema),
  /** `null` while nothing plays or the demand was not reckoned yet. */
  forecast: z.strictObject({
    timeMs: ms,
    spanSeconds: z.number(),
    volumes: z.array(VolumeForecastSchema),
  }).nullable(),
  /** Since the start, the latest last; at most 100 are kept. */
  availability: z.strictObject({
    total: z.int(),
    changes: z.array(AvailabilityChangeSchema),
  }),
  /** Since the start, the latest last; at most 100 are kept. */
  overruns: z.strictObject({ total: z.int(), overruns: z.array(OverrunSchema) }),
  /**
   * Where missing frames of timeline and streams are told: in records of underruns that have ended; in none, since the end of the gap found no room
   * among the events; in records that stand open, which is the rest.
   */
  underrunFrames: z.strictObject({
    recorded: z.number(),
    unrecorded: z.number(),
    open: z.number(),
  }),
  memory: z.looseObject({
    rssBytes: z.number(),
    heapUsedBytes: z.number(),
    externalBytes: z.number(),
  }),
  underruns: z.int(),
  warnings: z.array(WarningSchema),
  device: OpenDeviceSchema.nullable(),
  analysis: z.unknown(),
  /** What may be wanted soon, and is fetched ahead of time. */
  anticipation: z.strictObject({
    /** Pages of the plan that the budget allows, and those of them that are resident. */
    wantedPages: z.number(),
    residentPages: z.number(),
    /** Nothing is left to fetch. */
    settled: z.boolean(),
    /** The plan has all that the timeline plays. */
    isWhole: z.boolean(),
    /** How much of each place is there before the head lands on it. */
    leadMs: ms,
  }),
});

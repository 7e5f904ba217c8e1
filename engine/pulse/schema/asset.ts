/**
 * Schemas of assets.
 *
 * @module
 */
import { z } from "zod";
import { LIMITS } from "../limits.ts";
import { IdSchema } from "./primitives.ts";

export const AssetTypeSchema = z.enum([
  "sample",
  "stem",
  "recording",
  "render",
  "proxy",
  "transient",
]);
export const OfflineStatusSchema = z.enum(["present", "missing", "cloud", "pending"]);

/** A file's place: absolute once resolved. */
export const PathSchema = z.string().min(1).max(LIMITS.pathChars).refine(
  (path) => !path.includes("\0") && path.isWellFormed(),
  { error: "must be well-formed Unicode without NUL" },
);

const SamplesSchema = z.int().min(0).max(LIMITS.maxFrame);

export const AssetSchema = z.strictObject({
  assetId: IdSchema,
  path: PathSchema,
  type: AssetTypeSchema,
  sampleRate: z.number().min(0),
  channels: z.int().min(0),
  bitDepth: z.int().min(0),
  lengthSamples: SamplesSchema,
  peakCache: z.string().nullable(),
  waveformCache: z.string().nullable(),
  proxyStatus: z.enum(["none", "pending", "ready"]),
  hash: z.string().nullable(),
  offlineStatus: OfflineStatusSchema,
  container: z.string(),
  codec: z.string(),
  channelLayout: z.string(),
  durationSeconds: z.number().min(0),
  lengthExact: z.boolean(),
  generation: z.int().min(0),
  timecode: z.strictObject({ samplesSinceMidnight: z.int().min(0) }).optional(),
  loudness: z.unknown().optional(),
  analysedSamples: SamplesSchema,
  complete: z.boolean(),
  decodeError: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});

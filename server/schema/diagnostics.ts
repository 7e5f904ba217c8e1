/**
 * Schemas of what `diagnostics.*` answers.
 *
 * @module
 */
import { z } from "zod";
import { FrameSchema, IdSchema } from "../../engine/pulse/schema.ts";
import { ms } from "./base.ts";
import { OpenDeviceSchema } from "./device.ts";

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
  cause: z.enum(["queue", "read", "decode", "stalled", "absent", "budget"]),
  filledBy: z.enum(["proxy", "silence"]),
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
  tracks: z.array(z.looseObject({ trackId: IdSchema, missing: z.number(), faded: z.number() })),
  memory: z.looseObject({
    rssBytes: z.number(),
    heapUsedBytes: z.number(),
    externalBytes: z.number(),
  }),
  underruns: z.int(),
  warnings: z.array(WarningSchema),
  device: OpenDeviceSchema.nullable(),
  analysis: z.unknown(),
});

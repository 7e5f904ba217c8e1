/**
 * Schemas of the transport, jobs and projects.
 *
 * @module
 */
import { z } from "zod";
import { FrameSchema, IdSchema, NameSchema } from "./primitives.ts";
import { PathSchema } from "./asset.ts";

/** `[startFrame, endFrame)`, at least a frame long where it is enabled. */
export const LoopSchema = z.strictObject({
  enabled: z.boolean(),
  startFrame: FrameSchema,
  endFrame: FrameSchema,
}).refine(({ enabled, startFrame, endFrame }) => !enabled || startFrame < endFrame, {
  path: ["endFrame"],
  error: "must be greater than startFrame",
});

export const TransportSchema = z.strictObject({
  state: z.enum(["stopped", "paused", "playing"]),
  positionFrame: z.number(),
  audibleFrame: z.number(),
  timeMs: z.number(),
  revision: z.int().min(0),
  loop: z.strictObject({ enabled: z.boolean(), startFrame: FrameSchema, endFrame: FrameSchema }),
  rate: z.number(),
  deviceLatencyFrames: z.number(),
});

/** An asset that is heard beside the timeline. */
export const StreamHandleSchema = z.strictObject({
  handleId: IdSchema,
  assetId: IdSchema,
  positionSamples: z.int().min(0),
  timeMs: z.number(),
  state: z.enum(["filling", "ready", "underrun"]),
  lastReadMs: z.number(),
});

export const ClipWindowSchema = z.strictObject({
  windowId: IdSchema,
  /** Of the window of a clip. */
  clipId: IdSchema.optional(),
  assetId: IdSchema,
  startSample: z.int().min(0),
  endSample: z.int().min(0),
  /** `refused`: there is no room for it now, or its file cannot be read; `absent`: its clip is gone, and it waits for it. */
  state: z.enum(["filling", "resident", "refused", "absent"]),
});

/** How far what a clip is heard from is: the render of one that keeps its pitch at another speed. */
export const ClipPipelineSchema = z.strictObject({
  clipId: IdSchema,
  state: z.enum(["queued", "rendering", "ready", "failed"]),
  /** While it is rendered: the part that is done. */
  progress: z.number().min(0).max(1).optional(),
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});

export const JobSchema = z.strictObject({
  jobId: IdSchema,
  kind: z.string(),
  state: z.enum(["queued", "running", "done", "failed", "cancelled"]),
  progress: z.number().min(0).max(1),
  result: z.unknown().optional(),
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    details: z.unknown().optional(),
  }).optional(),
});

export const ProjectSchema = z.strictObject({
  projectId: IdSchema,
  name: NameSchema,
  path: PathSchema,
  revision: z.int().min(0),
});

export const HistoryEntrySchema = z.strictObject({
  revision: z.int().min(0),
  label: z.string(),
  clientId: z.string(),
  applied: z.boolean(),
});

/**
 * Schemas of a clip: as a client gives it, as a client changes it, as the engine answers it.
 *
 * @module
 */
import { z } from "zod";
import { MAX_RATE, MIN_RATE } from "../../signal/speed.ts";
import {
  FrameSchema,
  GainSchema,
  IdSchema,
  LengthSchema,
  MetaSchema,
  NameSchema,
  SourceFrameSchema,
} from "./primitives.ts";

export const FadeShapeSchema = z.enum(["linear", "equalPower"]);
export const SpeedModeSchema = z.enum(["mute", "matchSpeed", "maintainPitch"]);

/** Frames of the source in one of the timeline. */
const RateSchema = z.number().min(MIN_RATE, { error: "must be at least 1/16" })
  .max(MAX_RATE, { error: "must be at most 16" });
const PipelineSchema = z.array(z.unknown()).max(0, { error: "a pipeline is not yet supported" });

const members = {
  lengthFrames: LengthSchema,
  sourceFrame: SourceFrameSchema,
  gainDb: GainSchema,
  fadeInFrames: FrameSchema,
  fadeOutFrames: FrameSchema,
  fadeInShape: FadeShapeSchema,
  fadeOutShape: FadeShapeSchema,
  rate: RateSchema,
  speedMode: SpeedModeSchema,
  reverse: z.boolean(),
  groupId: IdSchema,
  name: NameSchema,
  pipeline: PipelineSchema,
  meta: MetaSchema,
};

/** A clip as a client gives it: what is left out takes its neutral value, a `clipId` too. */
export const ClipInputSchema = z.strictObject({
  clipId: IdSchema.optional(),
  assetId: IdSchema,
  startFrame: FrameSchema,
  lengthFrames: members.lengthFrames,
  sourceFrame: members.sourceFrame.optional(),
  gainDb: members.gainDb.optional(),
  fadeInFrames: members.fadeInFrames.optional(),
  fadeOutFrames: members.fadeOutFrames.optional(),
  fadeInShape: members.fadeInShape.optional(),
  fadeOutShape: members.fadeOutShape.optional(),
  rate: members.rate.optional(),
  speedMode: members.speedMode.optional(),
  reverse: members.reverse.optional(),
  groupId: members.groupId.optional(),
  name: members.name.optional(),
  pipeline: members.pipeline.optional(),
  meta: members.meta.optional(),
});

/** Members to change (`clip.set`); `null` takes an optional member away. */
export const ClipSetSchema = z.strictObject({
  assetId: IdSchema.optional(),
  lengthFrames: members.lengthFrames.optional(),
  sourceFrame: members.sourceFrame.optional(),
  gainDb: members.gainDb.optional(),
  fadeInFrames: members.fadeInFrames.optional(),
  fadeOutFrames: members.fadeOutFrames.optional(),
  fadeInShape: members.fadeInShape.nullable().optional(),
  fadeOutShape: members.fadeOutShape.nullable().optional(),
  rate: members.rate.optional(),
  speedMode: members.speedMode.optional(),
  reverse: members.reverse.optional(),
  groupId: members.groupId.nullable().optional(),
  name: members.name.nullable().optional(),
  pipeline: members.pipeline.optional(),
  meta: members.meta.optional(),
});

/** A clip as the engine answers it. */
export const ClipSchema = z.strictObject({
  clipId: IdSchema,
  assetId: IdSchema,
  startFrame: FrameSchema,
  lengthFrames: members.lengthFrames,
  sourceFrame: members.sourceFrame,
  gainDb: members.gainDb,
  fadeInFrames: members.fadeInFrames,
  fadeOutFrames: members.fadeOutFrames,
  fadeInShape: members.fadeInShape.optional(),
  fadeOutShape: members.fadeOutShape.optional(),
  rate: members.rate,
  speedMode: members.speedMode,
  reverse: members.reverse.optional(),
  groupId: members.groupId.optional(),
  name: members.name.optional(),
  pipeline: members.pipeline.optional(),
  meta: members.meta.optional(),
});

/** A clip in `changes`: with its track. */
export const ChangedClipSchema = ClipSchema.extend({ trackId: IdSchema });

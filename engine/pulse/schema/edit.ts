/**
 * Schemas of edits and of what goes with them.
 *
 * @module
 */
import { z } from "zod";
import { LIMITS } from "../limits.ts";
import type { Edit } from "../types.ts";
import { ClipInputSchema, ClipSetSchema } from "./clip.ts";
import {
  FrameSchema,
  IdSchema,
  LengthSchema,
  MetaSchema,
  NameSchema,
  SourceFrameSchema,
} from "./primitives.ts";
import { MarkerSchema, TrackInputSchema, TrackSetSchema } from "./timeline.ts";

const IndexSchema = z.int().min(0).max(LIMITS.clips);
const TrackIdsSchema = z.array(IdSchema).min(1).max(LIMITS.tracks);

/** One step of an edit, told apart by `op`; members that it does not know are refused. */
export const EditSchema = z.discriminatedUnion("op", [
  z.strictObject({
    op: z.literal("track.add"),
    track: TrackInputSchema,
    toIndex: IndexSchema.optional(),
  }),
  z.strictObject({ op: z.literal("track.remove"), trackId: IdSchema }),
  z.strictObject({ op: z.literal("track.move"), trackId: IdSchema, toIndex: IndexSchema }),
  z.strictObject({ op: z.literal("track.set"), trackId: IdSchema, set: TrackSetSchema }),
  z.strictObject({ op: z.literal("clip.add"), trackId: IdSchema, clip: ClipInputSchema }),
  z.strictObject({ op: z.literal("clip.remove"), clipId: IdSchema }),
  z.strictObject({ op: z.literal("clip.set"), clipId: IdSchema, set: ClipSetSchema }),
  z.strictObject({
    op: z.literal("clip.move"),
    clipId: IdSchema,
    startFrame: FrameSchema.optional(),
    trackId: IdSchema.optional(),
  }),
  z.strictObject({
    op: z.literal("clip.trim"),
    clipId: IdSchema,
    startFrame: FrameSchema.optional(),
    endFrame: FrameSchema.optional(),
  }),
  z.strictObject({
    op: z.literal("clip.slip"),
    clipId: IdSchema,
    sourceFrame: SourceFrameSchema,
  }),
  z.strictObject({
    op: z.literal("clip.split"),
    clipId: IdSchema,
    atFrame: FrameSchema,
    newClipId: IdSchema.optional(),
  }),
  z.strictObject({
    op: z.literal("range.delete"),
    startFrame: FrameSchema,
    endFrame: FrameSchema,
    ripple: z.boolean(),
    trackIds: TrackIdsSchema.optional(),
  }),
  z.strictObject({
    op: z.literal("range.insert"),
    atFrame: FrameSchema,
    lengthFrames: LengthSchema,
    trackIds: TrackIdsSchema.optional(),
  }),
  z.strictObject({
    op: z.literal("segment.delete"),
    clipId: IdSchema,
    ripple: z.enum(["all", "group"]).optional(),
  }),
  z.strictObject({ op: z.literal("segment.reorder"), clipId: IdSchema, toIndex: IndexSchema }),
  z.strictObject({ op: z.literal("marker.add"), marker: MarkerSchema }),
  z.strictObject({
    op: z.literal("marker.set"),
    markerId: IdSchema,
    set: z.strictObject({
      frame: FrameSchema.optional(),
      name: NameSchema.optional(),
      meta: MetaSchema.optional(),
    }),
  }),
  z.strictObject({ op: z.literal("marker.remove"), markerId: IdSchema }),
  z.strictObject({
    op: z.literal("io.set"),
    inFrame: FrameSchema.nullable(),
    outFrame: FrameSchema.nullable(),
  }),
]);

/** The edits of one request, done all or none. */
export const EditsSchema = z.array(EditSchema).max(LIMITS.editsPerRequest);

// The words of types.ts and the schema must not drift apart: each edit that the types allow, the schema takes.
type Accepted = z.input<typeof EditSchema>;
const _typesFitSchema: (edit: Edit) => Accepted = (edit) => edit;

/** What may go with an edit. */
export const EditOptionsSchema = z.strictObject({
  baseRevision: z.int().min(0).optional(),
  label: z.string().max(LIMITS.labelChars).refine((text) => text.isWellFormed(), {
    error: "must be well-formed Unicode",
  }).optional(),
  mergeKey: IdSchema.optional(),
  requestId: IdSchema.optional(),
});

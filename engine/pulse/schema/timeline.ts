/**
 * Schemas of tracks, markers and the whole timeline, and of `changes`.
 *
 * @module
 */
import { z } from "zod";
import { LIMITS } from "../limits.ts";
import { ChangedClipSchema, ClipInputSchema, ClipSchema } from "./clip.ts";
import {
  FrameSchema,
  GainSchema,
  IdSchema,
  MetaSchema,
  NameSchema,
  PanSchema,
  SampleRateSchema,
} from "./primitives.ts";

/** A track without its clips. */
export const TrackHeaderSchema = z.strictObject({
  trackId: IdSchema,
  name: NameSchema,
  gainDb: GainSchema,
  pan: PanSchema,
  mute: z.boolean(),
  solo: z.boolean(),
  meta: MetaSchema.optional(),
});

export const TrackSchema = TrackHeaderSchema.extend({
  clips: z.array(ClipSchema).max(LIMITS.clips),
});

/** Members to change (`track.set`); a `meta` of `null` takes it away. */
export const TrackSetSchema = TrackHeaderSchema.omit({ trackId: true }).partial();

/** A track as a client gives it: what is left out takes its neutral value. */
export const TrackInputSchema = TrackSetSchema.extend({
  trackId: IdSchema,
  clips: z.array(ClipInputSchema).max(LIMITS.clips).optional(),
});

export const FrameRateSchema = z.strictObject({
  numerator: z.int().min(1).max(1_000_000),
  denominator: z.int().min(1).max(1_000_000),
  drop: z.boolean().optional(),
});

/** `[inFrame, outFrame)`. */
export const IoPointsSchema = z.strictObject({ inFrame: FrameSchema, outFrame: FrameSchema })
  .refine(({ inFrame, outFrame }) => inFrame < outFrame, {
    path: ["outFrame"],
    error: "must be greater than inFrame",
  });

export const MarkerSchema = z.strictObject({
  markerId: IdSchema,
  frame: FrameSchema,
  name: NameSchema,
  meta: MetaSchema.optional(),
});

const timelineMembers = {
  sampleRate: SampleRateSchema,
  frameRate: FrameRateSchema.optional(),
  ioPoints: IoPointsSchema.optional(),
  markers: z.array(MarkerSchema).max(LIMITS.markers).optional(),
  meta: MetaSchema.optional(),
};

const checkedTimelines = new WeakSet<object>();

/** True where this very object came out of `TimelineInputSchema`: a second check of a large one would cost as much again. */
export function isCheckedTimeline(timeline: object): boolean {
  return checkedTimelines.has(timeline);
}

/** Says that a timeline was checked piece by piece. */
export function takeAsChecked(timeline: object): void {
  checkedTimelines.add(timeline);
}

/** A timeline as a client gives it. */
export const TimelineInputSchema = z.strictObject({
  ...timelineMembers,
  tracks: z.array(TrackInputSchema).max(LIMITS.tracks),
}).refine((timeline) => {
  checkedTimelines.add(timeline);
  return true;
});

/** A timeline as the engine answers it. */
export const TimelineSchema = z.strictObject({
  ...timelineMembers,
  tracks: z.array(TrackSchema).max(LIMITS.tracks),
});

/** What an edit changed, as state (API.md). */
export const ChangesSchema = z.strictObject({
  removed: z.strictObject({ trackIds: z.array(IdSchema), clipIds: z.array(IdSchema) }),
  shifted: z.array(
    z.strictObject({ trackId: IdSchema, fromFrame: FrameSchema, byFrames: z.int() }),
  ),
  tracks: z.array(TrackHeaderSchema),
  trackOrder: z.array(IdSchema).optional(),
  clips: z.array(ChangedClipSchema),
  timeline: z.strictObject({
    ioPoints: IoPointsSchema.nullable().optional(),
    markers: z.array(MarkerSchema).optional(),
    frameRate: FrameRateSchema.nullable().optional(),
    sampleRate: SampleRateSchema.optional(),
    meta: MetaSchema.optional(),
  }).optional(),
});

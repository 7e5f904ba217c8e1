/**
 * What `engine.subscribe` answers: each topic's state.
 *
 * @module
 */
import { z } from "zod";
import type { Topic } from "../../engine/api.ts";
import {
  AssetSchema,
  ChangesSchema,
  ClipPipelineSchema,
  ClipWindowSchema,
  IdSchema,
  JobSchema,
  StreamHandleSchema,
  TimelineSchema,
  TransportSchema,
} from "../../engine/pulse/schema.ts";
import { revision } from "./base.ts";
import { LibraryEntrySchema, OpenDeviceSchema } from "./device.ts";
import { WarningSchema } from "./diagnostics.ts";

const pipelines = z.array(ClipPipelineSchema).optional();

const states = {
  transport: TransportSchema,
  assets: z.strictObject({ assets: z.array(AssetSchema) }),
  streams: z.strictObject({
    streams: z.array(StreamHandleSchema),
    windows: z.array(ClipWindowSchema),
  }),
  /** `changes` since the revision that was asked for, where the journal has it; else all. `pipelines`: of clips whose renders are not ready. */
  timeline: z.union([
    z.strictObject({ revision, changes: ChangesSchema, pipelines }),
    z.strictObject({ revision, timeline: TimelineSchema, pipelines }),
  ]),
  jobs: z.strictObject({ jobs: z.array(JobSchema) }),
  device: z.strictObject({ device: OpenDeviceSchema.nullable() }),
  library: z.strictObject({ entries: z.array(LibraryEntrySchema), total: z.int() }),
  diagnostics: z.strictObject({ warnings: z.array(WarningSchema) }),
  meters: z.strictObject({ trackIds: z.array(IdSchema) }),
} as const satisfies Record<Topic, z.ZodType>;

/** The states of some topics. */
export const TopicStatesSchema = z.strictObject(states).partial();

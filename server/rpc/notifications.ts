/**
 * What the engine sends unasked (API.md, "Notifications"): names, topics and schemas.
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
  OfflineStatusSchema,
  ProjectSchema,
  StreamHandleSchema,
  TransportSchema,
} from "../../engine/pulse/schema.ts";
import { DEVICE_REASONS } from "../../engine/pulse/services/device_reasons.ts";
import { ms, revision } from "../schema/base.ts";
import { LibraryEntrySchema, OpenDeviceSchema } from "../schema/device.ts";
import { UnderrunSchema, WarningSchema } from "../schema/diagnostics.ts";

/** A notification's declaration. */
export interface NotificationType {
  readonly name: string;
  readonly topic: Topic;
  readonly summary: string;
  readonly params: z.ZodObject;
}

const assets = z.strictObject({ assets: z.array(AssetSchema) });
const assetIds = z.strictObject({ assetIds: z.array(IdSchema) });
const job = z.strictObject({ job: JobSchema });

/** All notifications that are sent so far. */
export const NOTIFICATIONS = [
  {
    name: "timeline.changed",
    topic: "timeline",
    summary: "The timeline changed; sent before the reply to the request that changed it.",
    params: z.strictObject({
      revision,
      previousRevision: revision,
      cause: z.enum(["edit", "undo", "redo", "set", "import"]),
      label: z.string(),
      clientId: z.string(),
      canUndo: z.boolean(),
      canRedo: z.boolean(),
      changes: ChangesSchema,
    }),
  },
  {
    name: "transport.state",
    topic: "transport",
    summary: "The transport changed, and why.",
    params: TransportSchema.extend({
      reason: z.enum(["play", "pause", "stop", "seek", "loop", "rate", "edit", "end", "device"]),
    }),
  },
  {
    name: "transport.position",
    topic: "transport",
    summary: "Where the head is, 30 a second and after each discontinuity.",
    params: z.strictObject({
      positionFrame: z.number(),
      audibleFrame: z.number(),
      timeMs: ms,
      rate: z.number(),
      revision,
    }),
  },
  { name: "asset.added", topic: "assets", summary: "Assets were registered.", params: assets },
  { name: "asset.changed", topic: "assets", summary: "Assets changed.", params: assets },
  { name: "asset.removed", topic: "assets", summary: "Assets were removed.", params: assetIds },
  {
    name: "asset.statusChanged",
    topic: "assets",
    summary: "Files went, came back or changed.",
    params: z.strictObject({
      changes: z.array(z.strictObject({
        assetId: IdSchema,
        offlineStatus: OfflineStatusSchema,
        proxyStatus: AssetSchema.shape.proxyStatus,
        generation: z.int(),
      })),
    }),
  },
  {
    name: "asset.importProgress",
    topic: "assets",
    summary: "How much of assets is analysed.",
    params: z.strictObject({
      imports: z.array(z.strictObject({
        assetId: IdSchema,
        analysed: z.array(z.tuple([z.number(), z.number()])),
        lengthSamples: z.number(),
      })),
    }),
  },
  {
    name: "asset.ready",
    topic: "assets",
    summary: "Assets are analysed to their end.",
    params: assetIds,
  },
  {
    name: "project.opening",
    topic: "assets",
    summary:
      "How many of a project's assets are read, and whose files were looked at, 5 a second while that takes time; what is not checked yet is pending.",
    params: z.strictObject({
      projectId: IdSchema,
      total: z.int(),
      read: z.int(),
      checked: z.int(),
      complete: z.boolean(),
    }),
  },
  {
    name: "stream.state",
    topic: "streams",
    summary: "Where a stream is and how it is, 10 a second.",
    params: z.strictObject({ handle: StreamHandleSchema }),
  },
  {
    name: "stream.ended",
    topic: "streams",
    summary:
      "A stream has ended: stopped, replaced, end, connection, project, or the code of what was wrong with its file.",
    params: z.strictObject({
      handleId: IdSchema,
      reason: z.string(),
      message: z.string().optional(),
    }),
  },
  {
    name: "stream.prefetchComplete",
    topic: "streams",
    summary: "All of a ClipWindow is resident; once wherever it lies.",
    params: z.strictObject({ windowId: IdSchema }),
  },
  {
    name: "clipWindow.changed",
    topic: "streams",
    summary:
      "The window of a clip went with it: to another place or asset, away with it, or back by an undo.",
    params: z.strictObject({ window: ClipWindowSchema }),
  },
  {
    name: "stream.underrun",
    topic: "streams",
    summary: "A gap was heard: at its begin and at its end.",
    params: UnderrunSchema,
  },
  {
    name: "decode.error",
    topic: "assets",
    summary: "An asset could not be read.",
    params: z.strictObject({ assetId: IdSchema, code: z.string(), message: z.string() }),
  },
  {
    name: "clip.pipelineUpdated",
    topic: "timeline",
    summary:
      "How far the render of a clip is that keeps its pitch at another speed; until it is ready the clip is heard with the pitch of its speed.",
    params: ClipPipelineSchema,
  },
  { name: "job.progress", topic: "jobs", summary: "A job went on, 5 a second.", params: job },
  {
    name: "job.finished",
    topic: "jobs",
    summary: "A job ended, whatever the outcome; once.",
    params: job,
  },
  { name: "render.finished", topic: "jobs", summary: "A render ended.", params: job },
  {
    name: "device.changed",
    topic: "device",
    summary:
      "Another device is open, or none, or the open one is otherwise; or (`list`) others came or went.",
    params: z.strictObject({ device: OpenDeviceSchema.nullable(), reason: z.enum(DEVICE_REASONS) }),
  },
  {
    name: "project.changed",
    topic: "timeline",
    summary: "Another project is open, or it has another name.",
    params: z.strictObject({ project: ProjectSchema }),
  },
  {
    name: "library.changed",
    topic: "library",
    summary: "More of a folder is known.",
    params: z.strictObject({ path: z.string(), entries: z.array(LibraryEntrySchema) }),
  },
  {
    name: "diagnostics.warning",
    topic: "diagnostics",
    summary: "Something that a person should know.",
    params: WarningSchema,
  },
] as const satisfies readonly NotificationType[];

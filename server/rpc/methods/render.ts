/**
 * `render.*` and `job.*`.
 *
 * @module
 */
import { z } from "zod";
import {
  FrameSchema,
  IdSchema,
  JobSchema,
  LengthSchema,
  PathSchema,
} from "../../../engine/pulse/schema.ts";
import { nothing, revision, sampleRate } from "../../schema/base.ts";
import { method } from "../method.ts";

const mixdown = method({
  name: "render.mixdown",
  summary: "Writes the mix of the revision that stands to a file under the export folder.",
  params: z.strictObject({
    path: PathSchema,
    startFrame: FrameSchema.optional(),
    lengthFrames: LengthSchema.optional(),
    container: z.enum(["wav", "flac"]),
    sampleFormat: z.enum(["s16", "s24", "f32"]),
    sampleRate: sampleRate.optional(),
    dither: z.boolean().optional(),
    trackIds: z.array(IdSchema).max(10_000).optional(),
    stems: z.boolean().optional(),
    overwrite: z.boolean().optional(),
  }),
  result: z.object({ jobId: IdSchema, revision }),
  // What is edited before it is in the mix, what is edited after it is not.
  ordered: true,
  errors: ["export.exists", "export.outside", "export.diskFull", "timeline.notFound"],
  run: (params, { engine, client }) => engine.render.mixdown(params, client),
});

const requestClipGhost = method({
  name: "render.requestClipGhost",
  summary:
    "Makes what a clip is to be heard from, before all others: a clip that keeps its pitch at another speed.",
  params: z.strictObject({ clipId: IdSchema }),
  result: z.object({ jobId: IdSchema }),
  ordered: true,
  errors: ["timeline.notFound"],
  run: ({ clipId }, { engine, client }) => engine.render.requestClipGhost(clipId, client),
});

const list = method({
  name: "job.list",
  summary: "The jobs under way and those of the last hour.",
  params: nothing,
  result: z.object({ jobs: z.array(JobSchema) }),
  run: (_params, { engine }) => ({ jobs: engine.jobs.list() }),
});

const get = method({
  name: "job.get",
  summary: "A job as it stands.",
  params: z.strictObject({ jobId: IdSchema }),
  result: z.object({ job: JobSchema }),
  errors: ["job.notFound"],
  run: ({ jobId }, { engine }) => ({ job: engine.jobs.get(jobId) }),
});

const cancel = method({
  name: "job.cancel",
  summary: "Ends a job; one that is done stays done.",
  params: z.strictObject({ jobId: IdSchema }),
  result: z.object({ job: JobSchema }),
  errors: ["job.notFound"],
  run: ({ jobId }, { engine }) => ({ job: engine.jobs.cancel(jobId) }),
});

export const renderMethods = [mixdown, requestClipGhost, list, get, cancel];

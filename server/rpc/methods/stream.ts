/**
 * `stream.*`: assets heard beside the timeline. A connection's streams end with it.
 *
 * @module
 */
import { z } from "zod";
import { GainSchema, IdSchema, StreamHandleSchema } from "../../../engine/pulse/schema.ts";
import { method } from "../method.ts";

const ordered = true;

const start = method({
  name: "stream.start",
  summary:
    "Plays an asset beside the timeline, from a place in its own samples on. What it replaces fades into it and ends.",
  params: z.strictObject({
    assetId: IdSchema,
    positionSamples: z.int().min(0).optional(),
    loop: z.boolean().optional(),
    gainDb: GainSchema.optional(),
    replaces: IdSchema.optional(),
  }),
  result: StreamHandleSchema,
  ordered,
  errors: ["asset.notFound", "handle.notFound", "limit.exceeded"],
  run(params, { engine, client }) {
    const handle = engine.streams.start(params, client);
    client.streams.add(handle.handleId);
    return handle;
  },
});

const stop = method({
  name: "stream.stop",
  summary: "Fades a stream out and ends it.",
  params: z.strictObject({ handleId: IdSchema }),
  result: z.strictObject({}),
  ordered,
  errors: ["handle.notFound"],
  run({ handleId }, { engine, client }) {
    engine.streams.stop(handleId);
    client.streams.delete(handleId);
    return {};
  },
});

export const streamMethods = [start, stop];

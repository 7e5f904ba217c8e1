/**
 * `clipWindow.*`: stretches of assets kept resident. A connection's windows end with it.
 *
 * @module
 */
import { z } from "zod";
import { IdSchema } from "../../../engine/pulse/schema.ts";
import { method } from "../method.ts";

const request = method({
  name: "clipWindow.request",
  summary:
    "Makes a stretch of an asset resident and keeps it so until it is released; stream.prefetchComplete tells when all of it is there. The window of a clip is cut to what the clip plays, and goes with it through edits.",
  params: z.strictObject({
    assetId: IdSchema.optional(),
    clipId: IdSchema.optional(),
    startSample: z.int().min(0),
    endSample: z.int().min(1),
    isLooping: z.boolean().optional(),
    playRate: z.number().min(-4).max(4).optional(),
    cohort: z.enum(["realtime", "anticipative"]),
  }).refine(
    ({ assetId, clipId }) => (assetId === undefined) !== (clipId === undefined),
    "either assetId or clipId must be given",
  ).refine(({ startSample, endSample }) => endSample > startSample, {
    path: ["endSample"],
    message: "must be greater than startSample",
  }),
  result: z.strictObject({ windowId: IdSchema, resident: z.boolean() }),
  errors: [
    "asset.notFound",
    "asset.unsupported",
    "asset.unreadable",
    "timeline.notFound",
    "cache.budget",
    "limit.exceeded",
  ],
  async run(params, { engine, client }) {
    const window = await engine.clipWindows.request(params, client);
    if (client.ended) engine.clipWindows.release(window.windowId);
    else client.windows.add(window.windowId);
    return window;
  },
});

const release = method({
  name: "clipWindow.release",
  summary: "Lets a window's pages go.",
  params: z.strictObject({ windowId: IdSchema }),
  result: z.strictObject({}),
  errors: ["handle.notFound"],
  run({ windowId }, { engine, client }) {
    engine.clipWindows.release(windowId);
    client.windows.delete(windowId);
    return {};
  },
});

export const clipWindowMethods = [request, release];

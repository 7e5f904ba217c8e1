/**
 * `asset.*`: registering files, looking them up, drawing them.
 *
 * @module
 */
import { z } from "zod";
import { EngineError } from "../../../engine/errors.ts";
import {
  AssetSchema,
  AssetTypeSchema,
  IdSchema,
  OfflineStatusSchema,
  PathSchema,
} from "../../../engine/pulse/schema.ts";
import { SERVER_LIMITS } from "../../limits.ts";
import { follow, sendPreview } from "../../previews.ts";
import { limit, nothing, offset } from "../../schema/base.ts";
import { ChannelsSchema } from "../../schema/peaks.ts";
import { limitExceeded, toRpcError } from "../errors.ts";
import { method } from "../method.ts";

const register = method({
  name: "asset.register",
  summary:
    "Makes files known, from their headers; analysis goes on behind. The same path gives the same asset.",
  params: z.strictObject({
    path: PathSchema.optional(),
    paths: z.array(PathSchema).min(1).max(SERVER_LIMITS.registerPaths).optional(),
    type: AssetTypeSchema.optional(),
  }).refine(
    ({ path, paths }) => (path === undefined) !== (paths === undefined),
    "either path or paths must be given",
  ),
  result: z.union([
    z.strictObject({ asset: AssetSchema }),
    z.strictObject({
      results: z.array(z.union([
        z.strictObject({ asset: AssetSchema }),
        z.strictObject({
          error: z.strictObject({
            code: z.string(),
            message: z.string(),
            details: z.record(z.string(), z.unknown()),
          }),
        }),
      ])),
    }),
  ]),
  errors: ["asset.notFound", "asset.outsideLibrary", "asset.unsupported", "asset.unreadable"],
  async run({ path, paths, type }, { engine, client }) {
    if (path !== undefined) return { asset: await engine.assets.register(path, type, client) };
    const results = [];
    // One after another: assets are listed in the order of their registration.
    for (const one of paths ?? []) {
      try {
        results.push({ asset: await engine.assets.register(one, type, client) });
      } catch (error) {
        results.push({ error: toEntryError(error) });
      }
    }
    return { results };
  },
});

/** An error of one path among many. */
function toEntryError(error: unknown) {
  if (error instanceof EngineError) {
    return { code: error.code as string, message: error.message, details: { ...error.details } };
  }
  const { message, data } = toRpcError(error);
  return { code: "request.invalid", message, details: { ...data?.details } };
}

const get = method({
  name: "asset.get",
  summary: "An asset as it stands.",
  params: z.strictObject({ assetId: IdSchema }),
  result: z.object({ asset: AssetSchema }),
  errors: ["asset.notFound"],
  run: ({ assetId }, { engine }) => ({ asset: engine.assets.get(assetId) }),
});

const list = method({
  name: "asset.list",
  summary: "The assets, in order of registration.",
  params: z.strictObject({
    offset: offset.optional(),
    limit: limit.optional(),
    status: OfflineStatusSchema.optional(),
  }),
  result: z.object({ assets: z.array(AssetSchema), total: z.int() }),
  run: (params, { engine }) => engine.assets.list(params),
});

const remove = method({
  name: "asset.remove",
  summary: "Forgets an asset that no clip uses; its file stays.",
  params: z.strictObject({ assetId: IdSchema }),
  result: nothing,
  // A clip that was removed before in the same breath no longer holds its asset.
  ordered: true,
  errors: ["asset.notFound", "asset.inUse"],
  run({ assetId }, { engine, client }) {
    engine.assets.remove(assetId, client);
    return {};
  },
});

/** A `previewId` travels as u32 in the peaks frame. */
const previewId = z.int().min(0).max(0xffff_ffff);

const previewPeaks = method({
  name: "asset.previewPeaks",
  summary: "Peaks as binary frames, before the reply; with follow again as more becomes known.",
  params: z.strictObject({
    previews: z.array(z.strictObject({
      previewId,
      assetId: IdSchema,
      start: z.number(),
      end: z.number(),
      width: z.int().min(1).max(SERVER_LIMITS.peaksWidth),
      channels: ChannelsSchema.optional(),
    })).min(1).max(SERVER_LIMITS.previews),
    follow: z.boolean().optional(),
  }),
  result: z.object({
    previews: z.array(z.strictObject({ previewId, complete: z.boolean() })),
  }),
  errors: ["asset.notFound"],
  async run({ previews, follow: isFollowed }, { engine, client }) {
    for (const { previewId, assetId } of previews) {
      engine.assets.get(assetId); // All of them exist, or nothing is sent.
      client.followed.get(previewId)?.();
    }
    if (isFollowed && client.followed.size + previews.length > SERVER_LIMITS.followedPreviews) {
      throw limitExceeded("followedPreviews", client.followed.size + previews.length);
    }
    const done = [];
    for (const preview of previews) {
      const complete = isFollowed
        ? await follow(engine, client, preview)
        : await sendPreview(engine, client, preview);
      done.push({ previewId: preview.previewId, complete });
    }
    return { previews: done };
  },
});

const stopPreview = method({
  name: "asset.stopPreview",
  summary: "Ends the following of previews; ids that are not followed are passed over.",
  params: z.strictObject({ previewIds: z.array(previewId).max(10_000) }),
  result: nothing,
  run({ previewIds }, { client }) {
    for (const previewId of previewIds) client.followed.get(previewId)?.();
    return {};
  },
});

const pixels = z.int().min(1).max(SERVER_LIMITS.peaksWidth);

const previewWaveform = method({
  name: "asset.previewWaveform",
  summary: "A picture of the whole asset.",
  params: z.strictObject({ assetId: IdSchema, width: pixels, height: pixels }),
  result: z.object({ svg: z.string(), complete: z.boolean() }),
  errors: ["asset.notFound"],
  run: ({ assetId, ...size }, { engine }) => engine.assets.waveformSvg(assetId, size),
});

export const assetMethods = [
  register,
  get,
  list,
  remove,
  previewPeaks,
  stopPreview,
  previewWaveform,
];

/**
 * `GET /aura/assets/{assetId}/…`: what a waveform is drawn from.
 *
 * @module
 */
import { z } from "zod";
import type { BytesAnswer } from "../../engine/api.ts";
import { IdSchema } from "../../engine/pulse/schema.ts";
import { SERVER_LIMITS } from "../limits.ts";
import { encodePeaksFrame, peaksToJson } from "../../engine/media/peaks_frame.ts";
import { isNotModified } from "./conditional.ts";
import { HttpError } from "./errors.ts";
import { numberText, route } from "./route.ts";

const params = z.strictObject({ assetId: IdSchema });
const width = z.int().min(1).max(SERVER_LIMITS.peaksWidth);
const plane = z.array(z.array(z.number().nullable()));

/** Peaks as JSON; columns not analysed yet are `null`. */
export const PeaksSchema = z.strictObject({
  start: z.number(),
  end: z.number(),
  width,
  channels: z.int(),
  complete: z.boolean(),
  min: plane,
  max: plane,
  rms: plane,
});

/** Peaks as wavesurfer takes them. */
export const WavesurferSchema = z.object({
  peaks: z.array(z.array(z.number().nullable())),
  duration: z.number(),
});

/** The BBC waveform-data format's JSON form. */
export const WaveformSchema = z.object({
  version: z.int(),
  channels: z.int(),
  sample_rate: z.int(),
  samples_per_pixel: z.int(),
  bits: z.int(),
  length: z.int(),
  data: z.array(z.int()),
});

const notModified = {
  304: { description: "What the client holds is still right", headers: ["ETag"] },
};

const peaks = route({
  method: "get",
  path: "/aura/assets/{assetId}/peaks",
  operationId: "getPeaks",
  summary: "Exactly width columns for [start, end) in the asset's own samples",
  params,
  query: z.strictObject({
    start: numberText(z.number()).optional(),
    end: numberText(z.number()).optional(),
    width: numberText(width).optional(),
    channels: z.string().max(200).regex(/^(all|mix|\d{1,2}(,\d{1,2})*)$/, {
      error: "must be all, mix or a list such as 0,1",
    }).optional(),
    format: z.enum(["json", "bin"]).optional(),
  }),
  answers: {
    200: {
      description: "The columns",
      content: { "application/json": PeaksSchema, "application/octet-stream": "binary" },
      headers: ["ETag"],
    },
    ...notModified,
  },
  async handle({ engine, request, params, query }) {
    const { start, end, width = 1_024, channels = "all", format = "json" } = query;
    const columns = await engine.assets.peaks(params.assetId, {
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
      width,
      channels: channels === "all" || channels === "mix"
        ? channels
        : channels.split(",").map(Number),
    });
    const { complete, etag } = columns;
    return answer(request, {
      // One representation, one validator.
      etag: complete && etag !== null ? quoted(etag, format) : null,
      contentType: format === "json" ? "application/json" : "application/octet-stream",
      body: () =>
        format === "json" ? JSON.stringify(peaksToJson(columns)) : encodePeaksFrame(columns),
    });
  },
});

const waveformQuery = z.strictObject({
  bits: z.enum(["8", "16"]).optional(),
  samplesPerPixel: numberText(z.int().min(2).max(2 ** 31 - 1)).optional(),
  split: z.enum(["true", "false"]).optional(),
});

/** The query as the engine takes it; neutral values are audiowaveform's, at the finest level that is kept. */
function waveformParams(query: z.output<typeof waveformQuery>) {
  const { bits = "16", samplesPerPixel = 256, split = "false" } = query;
  return { bits: bits === "8" ? 8 : 16, samplesPerPixel, split: split === "true" } as const;
}

const waveformDat = route({
  method: "get",
  path: "/aura/assets/{assetId}/waveform.dat",
  operationId: "getWaveformDat",
  summary: "The BBC waveform-data format, as peaks.js and waveform-data.js read it",
  params,
  query: waveformQuery,
  answers: {
    200: {
      description: "Version 1 for one channel, else 2",
      content: { "application/octet-stream": "binary" },
      headers: ["ETag"],
    },
    ...notModified,
  },
  handle: async ({ engine, request, params, query }) =>
    bytesAnswer(
      request,
      await engine.assets.waveformDat(params.assetId, waveformParams(query)),
      "application/octet-stream",
    ),
});

const waveformJson = route({
  method: "get",
  path: "/aura/assets/{assetId}/waveform.json",
  operationId: "getWaveformJson",
  summary: "The BBC waveform-data format's JSON form",
  params,
  query: waveformQuery,
  answers: {
    200: {
      description: "The waveform",
      content: { "application/json": WaveformSchema },
      headers: ["ETag"],
    },
    ...notModified,
  },
  handle: async ({ engine, request, params, query }) =>
    bytesAnswer(
      request,
      await engine.assets.waveformJson(params.assetId, waveformParams(query)),
      "application/json",
    ),
});

const wavesurferJson = route({
  method: "get",
  path: "/aura/assets/{assetId}/wavesurfer.json",
  operationId: "getWavesurferJson",
  summary: "Peaks and duration as wavesurfer takes them",
  params,
  query: z.strictObject({ points: numberText(width).optional() }),
  answers: {
    200: {
      description: "The peaks",
      content: { "application/json": WavesurferSchema },
      headers: ["ETag"],
    },
    ...notModified,
  },
  handle: async ({ engine, request, params, query }) =>
    bytesAnswer(
      request,
      await engine.assets.wavesurferJson(params.assetId, { points: query.points ?? 1_024 }),
      "application/json",
    ),
});

const thumbnail = route({
  method: "get",
  path: "/aura/assets/{assetId}/thumbnail.svg",
  operationId: "getThumbnail",
  summary: "A picture of the whole asset",
  params,
  query: z.strictObject({
    width: numberText(width).optional(),
    height: numberText(width).optional(),
  }),
  answers: { 200: { description: "The picture", content: { "image/svg+xml": "text" } } },
  async handle({ engine, request, params, query }) {
    const { width = 320, height = 64 } = query;
    const { svg, complete } = await engine.assets.waveformSvg(params.assetId, { width, height });
    const { hash, generation } = engine.assets.get(params.assetId);
    return answer(request, {
      etag: complete && hash !== null
        ? quoted(`${hash}-${generation}-${width}-${height}`, "svg")
        : null,
      contentType: "image/svg+xml",
      // A picture is never a page: opened by itself it may run nothing.
      headers: {
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      },
      body: () => svg,
    });
  },
});

export const peaksRoutes = [peaks, waveformDat, waveformJson, wavesurferJson, thumbnail];

interface Representation {
  /** `null`: partial, not cacheable. */
  etag: string | null;
  contentType: string;
  headers?: Readonly<Record<string, string>>;
  body(): string | Uint8Array<ArrayBuffer>;
}

function answer(request: Request, { etag, contentType, headers, body }: Representation): Response {
  const all = new Headers({ "content-type": contentType, ...headers });
  all.set("cache-control", etag === null ? "no-store" : "no-cache");
  if (etag !== null) {
    all.set("etag", etag);
    if (isNotModified(request.headers.get("if-none-match"), etag)) {
      return new Response(null, { status: 304, headers: all });
    }
  }
  return new Response(body(), { headers: all });
}

function bytesAnswer(request: Request, given: BytesAnswer, contentType: string): Response {
  const { bytes, complete, etag } = given;
  return answer(request, {
    etag: complete && etag !== null
      ? quoted(etag, contentType === "application/json" ? "json" : "dat")
      : null,
    contentType,
    headers: { "x-loophole-complete": String(complete) },
    body: () => bytes,
  });
}

/** An entity tag of a validator and the representation that it stands for. */
function quoted(validator: string, representation: string): string {
  const text = validator.replace(/^W\//, "").replace(/[^\x21\x23-\x7e]/g, "");
  if (text === "") throw new HttpError("internal", "An answer has an empty validator");
  return `"${text}-${representation}"`;
}

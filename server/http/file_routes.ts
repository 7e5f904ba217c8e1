/**
 * Files over HTTP: an asset's audio, finished renders, and uploads into the library.
 *
 * @module
 */
import { z } from "zod";
import { AssetSchema, IdSchema } from "../../engine/pulse/schema.ts";
import { SERVER_CALLERS } from "../rpc/method.ts";
import { contentTypeOf } from "./content_type.ts";
import { HttpError } from "./errors.ts";
import { none, route } from "./route.ts";
import { decodeSegments, isPlainName } from "./segments.ts";
import { sendFile } from "./send_file.ts";

/** Who an upload is done for, where no connection is. */
const HTTP_CALLER = { clientId: `${SERVER_CALLERS}http` };

const fileAnswers = {
  200: {
    description: "The whole file",
    content: { "audio/*": "binary" },
    headers: ["ETag", "Content-Length", "Accept-Ranges"],
  },
  206: {
    description: "The range asked for; several ranges are answered with the whole file",
    content: { "audio/*": "binary" },
    headers: ["ETag", "Content-Length", "Content-Range"],
  },
  304: { description: "What the client holds is still right", headers: ["ETag"] },
  416: { description: "Nothing of the range exists", headers: ["Content-Range"] },
} as const;

const audio = route({
  method: "get",
  path: "/aura/assets/{assetId}/audio",
  operationId: "getAudio",
  summary: "The asset's file",
  params: z.strictObject({ assetId: IdSchema }),
  query: none,
  answers: fileAnswers,
  async handle({ engine, files, request, params }) {
    const { path, etag, contentType } = engine.assets.file(params.assetId);
    const response = await sendFile(files, request, path, { contentType, etag: toEntityTag(etag) });
    if (response !== null) return response;
    throw new HttpError("asset.notFound", `The file of ${params.assetId} is missing`, {
      assetId: params.assetId,
    });
  },
});

const exported = route({
  method: "get",
  path: "/aura/exports/{path}",
  operationId: "getExport",
  summary: "A finished render",
  params: z.strictObject({ path: z.string() }),
  query: none,
  answers: fileAnswers,
  async handle({ engine, files, request, params }) {
    const segments = decodeSegments(params.path);
    const missing = () => new HttpError("asset.notFound", "There is no such render", {});
    if (segments === null) throw missing();
    const { path, contentType } = engine.render.exportFile(segments.join("/"));
    const response = await sendFile(files, request, path, {
      contentType: contentType || contentTypeOf(path) || "application/octet-stream",
    });
    if (response === null) throw missing();
    return response;
  },
});

const upload = route({
  method: "put",
  path: "/aura/library/{name}",
  operationId: "putLibraryFile",
  summary: "Saves the body in the first library root and registers it",
  params: z.strictObject({ name: z.string() }),
  query: none,
  body: { "application/octet-stream": "binary" },
  answers: {
    201: {
      description: "The new asset",
      content: { "application/json": z.strictObject({ asset: AssetSchema }) },
    },
  },
  async handle({ engine, request, params }) {
    const { name } = params;
    if (!isPlainName(name) || new TextEncoder().encode(name).length > 255) {
      throw new HttpError(
        "request.invalid",
        "The name must be one file's: no slash, no leading dot, no control character, at most 255 bytes",
      );
    }
    const max = engine.limits.uploadBytes ?? Infinity;
    const announced = Number(request.headers.get("content-length") ?? 0);
    if (announced > max) throw tooLarge(max, announced);
    if (request.body === null) throw new HttpError("request.invalid", "The body is empty");
    const asset = await engine.library.upload(
      name,
      limited(request.body, max),
      HTTP_CALLER,
    );
    return Response.json({ asset }, { status: 201 });
  },
});

export const fileRoutes = [audio, exported, upload];

function tooLarge(max: number, actual?: number): HttpError {
  return new HttpError("request.tooLarge", `The limit uploadBytes is ${max}`, {
    limit: "uploadBytes",
    max,
    ...(actual === undefined ? {} : { actual }),
  });
}

/** The body, up to `max` bytes; more is an error of the stream. */
function limited(body: ReadableStream<Uint8Array>, max: number): ReadableStream<Uint8Array> {
  let bytes = 0;
  return body.pipeThrough(
    new TransformStream({
      transform(piece, controller) {
        bytes += piece.length;
        if (bytes > max) controller.error(tooLarge(max));
        else controller.enqueue(piece);
      },
    }),
  );
}

function toEntityTag(etag: string): string {
  return /^"[^"]*"$/.test(etag) ? etag : `"${etag.replace(/[^\x21\x23-\x7e]/g, "")}"`;
}

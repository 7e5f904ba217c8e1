/**
 * Errors over HTTP: `{ error: { code, message, details } }` with 400, 401, 403, 404, 409, 413, 421 or 503 (API.md).
 *
 * @module
 */
import { EngineError, type ErrorCode, InvalidParams } from "../../engine/errors.ts";
import type { RefusalCode } from "../guard.ts";

/** Codes that HTTP adds to the engine's own. */
export type HttpErrorCode =
  | ErrorCode
  | RefusalCode
  | "request.invalid"
  | "request.tooLarge"
  | "route.notFound"
  | "engine.unavailable"
  | "internal";

type Status = 400 | 401 | 403 | 404 | 409 | 413 | 421 | 500 | 503;

const STATUS: Readonly<Record<HttpErrorCode, Status>> = {
  "asset.notFound": 404,
  "asset.outsideLibrary": 403,
  "asset.unsupported": 400,
  "asset.unreadable": 400,
  "asset.damaged": 400,
  "asset.inUse": 409,
  "timeline.conflict": 409,
  "timeline.notFound": 404,
  "timeline.nothingToUndo": 409,
  "project.notFound": 404,
  "job.notFound": 404,
  "handle.notFound": 404,
  "cache.budget": 503,
  "device.unavailable": 503,
  "export.exists": 409,
  "export.outside": 403,
  "export.diskFull": 503,
  "limit.exceeded": 503,
  "protocol.version": 400,
  "request.unauthorized": 401,
  "request.forbidden": 403,
  "request.misdirected": 421,
  "request.invalid": 400,
  "request.tooLarge": 413,
  "route.notFound": 404,
  "engine.unavailable": 503,
  internal: 500,
};

/** All codes, for the schemas. */
export const HTTP_ERROR_CODES = Object.keys(STATUS) as HttpErrorCode[];

/** Something that HTTP refuses in its own words. */
export class HttpError extends Error {
  override name = "HttpError";
  constructor(
    readonly code: HttpErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/** An error's response. */
export function errorResponse(
  code: HttpErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): Response {
  const headers = new Headers({ "cache-control": "no-store" });
  if (code === "request.unauthorized") headers.set("www-authenticate", 'Bearer realm="loophole"');
  // A body that is not read to its end would be taken for the next request.
  if (code === "request.tooLarge") headers.set("connection", "close");
  return Response.json({ error: { code, message, details } }, { status: STATUS[code], headers });
}

/** What a client hears of something thrown; what is not meant for clients is logged and told as an internal error alone. */
export function toErrorResponse(error: unknown): Response {
  if (error instanceof HttpError) return errorResponse(error.code, error.message, error.details);
  if (error instanceof InvalidParams) {
    return errorResponse("request.invalid", error.message, {
      path: error.path,
      reason: error.reason,
    });
  }
  if (error instanceof EngineError) {
    const isUpload = error.code === "limit.exceeded" && error.details.limit === "uploadBytes";
    return errorResponse(isUpload ? "request.tooLarge" : error.code, error.message, error.details);
  }
  console.error("A request failed unexpectedly:", error);
  return errorResponse("internal", "Internal error");
}

/**
 * What lets a page of an admitted origin ask and read (https://fetch.spec.whatwg.org/#http-cors-protocol).
 *
 * @module
 */
import { errorResponse } from "./errors.ts";

/** Headers that such a page may read. */
const EXPOSED = "ETag, Content-Range, Content-Length, Accept-Ranges";

/** Marks an answer as one that a page of `origin` may read; `null` is no foreign one. */
export function letRead(headers: Headers, origin: string | null): void {
  headers.append("vary", "Origin");
  if (origin === null) return;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", EXPOSED);
}

/** The answer to a preflight: what pages of an admitted origin may ask for. */
export function preflight(request: Request, origin: string | null): Response {
  if (origin === null || !request.headers.has("access-control-request-method")) {
    return errorResponse(
      "route.notFound",
      "OPTIONS is answered to admitted origins alone (--origin)",
    );
  }
  const headers = new Headers({
    "access-control-allow-methods": "GET, HEAD, PUT",
    "access-control-allow-headers": "Authorization, Content-Type, If-None-Match, If-Range, Range",
    "access-control-max-age": "600",
  });
  if (request.headers.get("access-control-request-private-network") === "true") {
    headers.set("access-control-allow-private-network", "true");
  }
  return new Response(null, { status: 204, headers });
}

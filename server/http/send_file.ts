/**
 * A file as a response: ranges, validators, exact lengths, read as the client takes it.
 *
 * @module
 */
import { limitExceeded } from "../rpc/errors.ts";
import { SERVER_LIMITS } from "../limits.ts";
import { isNotModified, parseRange } from "./conditional.ts";
import type { FileFacts } from "./file_protocol.ts";
import type { FileReader } from "./file_reader.ts";

/** What goes with a file. */
export interface SendFileOptions {
  contentType: string;
  /** A strong validator, quotes included; made of the file's identity if left out. */
  etag?: string;
  headers?: Readonly<Record<string, string>>;
}

/** The validator of a file as it stands: changes whenever its bytes may have. */
export function etagOf({ inode, size, mtimeMs }: FileFacts): string {
  return `"${inode.toString(36)}-${size.toString(36)}-${Math.round(mtimeMs * 1000).toString(36)}"`;
}

/**
 * Answers a request for a file: 200, 206, 304 or 416.
 *
 * @param path Resolved and allowed; a link in its place is not followed.
 * @returns `null` if there is no such file.
 * @throws {EngineError} `limit.exceeded` when too many files are being sent.
 */
export async function sendFile(
  files: FileReader,
  request: Request,
  path: string,
  options: SendFileOptions,
): Promise<Response | null> {
  if (files.streams >= SERVER_LIMITS.fileStreams) throw limitExceeded("fileStreams");
  const file = await files.open(path);
  if (file === null) return null;
  let isHanded = false;
  try {
    const etag = options.etag ?? etagOf(file.facts);
    const headers = new Headers({
      "accept-ranges": "bytes",
      "cache-control": "no-cache",
      "content-type": options.contentType,
      etag,
      ...options.headers,
    });
    if (isNotModified(request.headers.get("if-none-match"), etag)) {
      return new Response(null, { status: 304, headers });
    }
    const { size } = file.facts;
    const ifRange = request.headers.get("if-range");
    const wanted = ifRange !== null && ifRange !== etag ? null : request.headers.get("range");
    const range = request.method === "GET" ? parseRange(wanted, size) : null;
    if (range === "unsatisfiable") {
      headers.set("content-range", `bytes */${size}`);
      headers.set("content-length", "0");
      return new Response(null, { status: 416, headers });
    }
    const { start, end } = range ?? { start: 0, end: size };
    headers.set("content-length", String(end - start));
    if (range !== null) headers.set("content-range", `bytes ${start}-${end - 1}/${size}`);
    const status = range === null ? 200 : 206;
    if (request.method === "HEAD" || start === end) return new Response(null, { status, headers });
    isHanded = true;
    return new Response(file.stream(start, end), { status, headers });
  } finally {
    if (!isHanded) file.close();
  }
}

/**
 * The page's own files: one folder, nothing outside it, no link followed.
 *
 * @module
 */
import { HttpError } from "./errors.ts";
import { contentTypeOf } from "./content_type.ts";
import { decodeSegments } from "./segments.ts";
import type { FileReader } from "./file_reader.ts";
import { sendFile } from "./send_file.ts";

/** What the page may load and talk to. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "connect-src 'self' ws:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Serves the files below `root`. */
export class StaticFiles {
  readonly #files: FileReader;
  readonly #root: string;
  #realRoot: string | undefined;

  /** @param root The folder, absolute. */
  constructor(files: FileReader, root: string) {
    this.#files = files;
    this.#root = root;
  }

  /** The file that a path names. Throws {@linkcode HttpError} 404 for all that is none. */
  async serve(request: Request, pathname: string): Promise<Response> {
    const notFound = () =>
      new HttpError("route.notFound", `There is nothing at ${pathname.slice(0, 200)}`);
    const segments = decodeSegments(pathname === "/" ? "/index.html" : pathname);
    const contentType = segments === null ? null : contentTypeOf(segments.at(-1) ?? "");
    // Only endings that a page has are served; names with a leading dot never are.
    if (segments === null || contentType === null) throw notFound();
    this.#realRoot ??= await Deno.realPath(this.#root).catch(() => undefined);
    if (this.#realRoot === undefined) throw notFound();
    // `sendFile` opens a path only where it is its own resolution: a link in it is not followed.
    const path = [this.#realRoot, ...segments].join("/");
    const response = await sendFile(this.#files, request, path, {
      contentType,
      headers: { "content-security-policy": CONTENT_SECURITY_POLICY },
    });
    if (response === null) throw notFound();
    return response;
  }
}

/**
 * Media types by a name's ending.
 *
 * @module
 */

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  ts: "application/typescript; charset=utf-8", // Types of the client: no browser loads them.
  json: "application/json",
  map: "application/json",
  webmanifest: "application/manifest+json",
  svg: "image/svg+xml",
  png: "image/png",
  ico: "image/x-icon",
  webp: "image/webp",
  woff2: "font/woff2",
  txt: "text/plain; charset=utf-8",
  wav: "audio/wav",
  flac: "audio/flac",
};

/** The media type of a file's name, `null` for an ending that is not known. */
export function contentTypeOf(name: string): string | null {
  const ending = /\.([a-z0-9]+)$/i.exec(name)?.[1].toLowerCase();
  return ending === undefined ? null : TYPES[ending] ?? null;
}

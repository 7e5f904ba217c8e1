/**
 * Between the HTTP server and handlers of web requests. The server is `node:http`, since only there can a connection be taken over whole
 * (`ws/socket.ts`), and a slow client's back-pressure be felt.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";

/** Headers as they came: what was sent twice stands there twice, joined by a comma. */
export function readHeaders(message: IncomingMessage): Headers {
  const headers = new Headers();
  const { rawHeaders } = message;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    headers.append(rawHeaders[i], rawHeaders[i + 1]);
  }
  return headers;
}

/** The target as a URL, `null` if it is none. */
export function readUrl(message: IncomingMessage, headers: Headers): URL | null {
  const target = message.url ?? "/";
  return URL.parse(target.startsWith("/") ? `http://${headers.get("host")}${target}` : target);
}

/** A request as the web has it. */
export function toRequest(message: IncomingMessage, url: URL, headers: Headers): Request {
  const method = message.method ?? "GET";
  const hasBody = method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
  const body = hasBody
    ? Readable.toWeb(message) as NodeReadableStream as unknown as ReadableStream<Uint8Array>
    : null;
  return new Request(url, { method, headers, body });
}

/** Sends a response; resolves when it is sent or the client has gone. Never rejects. */
export async function sendResponse(response: Response, to: ServerResponse): Promise<void> {
  const reader = response.body?.getReader();
  try {
    const first = await reader?.read();
    const next = first?.done === false ? await reader?.read() : undefined;
    const isWhole = next === undefined || next.done;
    const headers = Object.fromEntries(response.headers);
    const isHead = to.req.method === "HEAD";
    if (
      isWhole && !isHead && headers["content-length"] === undefined && mayHaveBody(response.status)
    ) {
      headers["content-length"] = String(first?.value?.length ?? 0);
    }
    to.writeHead(response.status, headers);
    if (isHead) return void to.end();
    if (first?.value) await write(to, first.value);
    if (next?.value) await write(to, next.value);
    while (reader && !isWhole && !to.destroyed) {
      const { done, value } = await reader.read();
      if (done) break;
      await write(to, value);
    }
    to.end();
  } catch {
    // A body that breaks off can only be told by breaking off: the head is sent.
    to.destroy();
  } finally {
    await reader?.cancel().catch(() => {});
  }
}

function mayHaveBody(status: number): boolean {
  return status !== 204 && status !== 304;
}

/** Writes and waits until there is room again or nobody to write to. */
function write(to: ServerResponse, bytes: Uint8Array): Promise<void> {
  if (to.destroyed || to.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      to.off("drain", done);
      to.off("close", done);
      resolve();
    };
    to.on("drain", done);
    to.on("close", done);
  });
}

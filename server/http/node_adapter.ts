/**
 * Between the HTTP server and handlers of web requests. The server is `node:http`, since only there can a connection be taken over whole
 * (`ws/socket.ts`), and a slow client's back-pressure be felt.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { afterMs } from "../../engine/bounded.ts";
import { HttpError } from "./errors.ts";

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
  return new Request(url, { method, headers, body: hasBody ? toStream(message) : null });
}

/** The body, read as fast as its reader takes it. Given up, the rest is read and dropped: the answer has to arrive. */
function toStream(message: IncomingMessage): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isOver = false;
  return new ReadableStream({
    start(controller) {
      const finish = (how: () => void) => {
        if (isOver) return;
        isOver = true;
        how();
      };
      message.on("data", (bytes: Uint8Array) => {
        if (isOver) return;
        controller.enqueue(new Uint8Array(bytes));
        if ((controller.desiredSize ?? 0) <= 0) message.pause();
      });
      message.on("end", () => finish(() => controller.close()));
      const breakOff = () => finish(() => controller.error(brokenOff()));
      message.on("error", breakOff);
      message.on("close", breakOff);
      message.pause();
    },
    pull: () => void message.resume(),
    cancel() {
      isOver = true;
      message.resume();
    },
  });
}

/** A client that leaves in the middle is no failure of ours. */
function brokenOff(): HttpError {
  return new HttpError("request.invalid", "The body broke off");
}

/** How long an answer waits for the rest of a body that nobody wants, in milliseconds. */
const DRAIN_MS = 2_000;

/** Lets a client finish sending: a line cut while it sends would be reset, and the answer lost. */
function drained(message: IncomingMessage): Promise<void> {
  if (message.complete || message.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      stop();
      resolve();
    };
    const stop = afterMs(DRAIN_MS, done);
    message.once("end", done);
    message.once("close", done);
    message.resume();
  });
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
    if (isWhole) await drained(to.req);
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

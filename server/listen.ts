/**
 * The listening socket: HTTP requests to the app, upgrades of `/pulse` to the hub, each past the guard.
 *
 * @module
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Guard, type GuardOptions, offeredSubprotocols, SUBPROTOCOL } from "./guard.ts";
import { urlHost } from "./host.ts";
import { letRead, preflight } from "./http/cors.ts";
import { endLine } from "./http/end_line.ts";
import { errorResponse } from "./http/errors.ts";
import { readHeaders, readUrl, sendResponse, toRequest } from "./http/node_adapter.ts";
import type { Connection } from "./connection.ts";
import { CLOSE, SERVER_LIMITS } from "./limits.ts";
import { Lines } from "./lines.ts";
import { switchingProtocols, upgradeFault } from "./ws/handshake.ts";
import { ServerSocket } from "./ws/socket.ts";

/** Greatest head of a request, in bytes; more is answered 431. */
const MAX_HEAD_BYTES = 32 * 1024;
/** How long a line may be open with no request under way, in milliseconds. */
const IDLE_MS = 10_000;

/** Who answers, once the engine is there. */
export interface Answerer {
  /** A request that the guard has not judged yet. */
  fetch(request: Request): Response | Promise<Response>;
  /** Takes a WebSocket in; `false` if there are too many. */
  accept(open: (connection: Connection) => ServerSocket): boolean;
}

/** What {@linkcode listen} needs. */
export interface ListenOptions extends Omit<GuardOptions, "port"> {
  /** 0 takes a free one. */
  port: number;
  /** How long a line may be idle, in milliseconds (tests). */
  idleMs?: number;
  /** Time between two pings, in milliseconds; the contract's if left out (tests). */
  pingEveryMs?: number;
  /** Who answers; `null` while the engine starts or stops, which is told as 503. */
  answerer(): Answerer | null;
}

/** A server that listens. */
export interface Listening {
  port: number;
  /** Where a browser finds it. */
  url: string;
  guard: Guard;
  /** Takes no more connections, and gives those that live `graceMs` to end. */
  close(graceMs: number): Promise<void>;
}

/**
 * Binds the address.
 *
 * @throws the system's own error where the address cannot be bound; its `code` is `EADDRINUSE` for a port that is taken.
 */
export async function listen(options: ListenOptions): Promise<Listening> {
  let guard: Guard | null = null;
  const server = createServer({
    maxHeaderSize: MAX_HEAD_BYTES,
    requestTimeout: 0, // An upload of an hour's audio may take its time.
    keepAliveTimeout: 5_000, // Shorter than our own, so that the client is told of it.
  });
  const lines = new Lines({ max: SERVER_LIMITS.lines, idleMs: options.idleMs ?? IDLE_MS });

  const respond = async (message: IncomingMessage): Promise<Response> => {
    const headers = readHeaders(message);
    const url = readUrl(message, headers);
    if (guard === null) return errorResponse("engine.unavailable", "The engine is starting");
    if (url === null) return errorResponse("request.invalid", "The target is not a URL");
    const request = toRequest(message, url, headers);
    const answerer = options.answerer();
    if (answerer === null) {
      const verdict = guard.check({ method: request.method, url, headers, isUpgrade: false });
      if (!verdict.allowed) return errorResponse(verdict.code, verdict.message);
      const { origin } = verdict;
      const later = request.method === "OPTIONS" && origin !== null
        ? preflight(request, origin)
        : errorResponse("engine.unavailable", "The engine is starting or stopping");
      letRead(later.headers, origin);
      return later;
    }
    return await answerer.fetch(request);
  };

  server.on("request", (message, to) => {
    const { socket } = message;
    lines.begin(socket);
    void respond(message)
      .catch((error) => {
        console.error(`${message.method} failed unexpectedly:`, error);
        return errorResponse("internal", "Internal error");
      })
      .then((response) => sendResponse(response, to))
      .finally(() => lines.end(socket));
  });

  server.on("clientError", (error: Error & { code?: string }, socket: Socket) => {
    if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
    const status = error.code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : "400 Bad Request";
    endLine(socket, `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  });

  server.on("connection", (socket: Socket) => lines.add(socket));

  server.on("upgrade", (message: IncomingMessage, socket: Socket, head: Uint8Array) => {
    socket.on("error", () => socket.destroy());
    lines.begin(socket);
    try {
      const refusal = upgrade(message, socket, head);
      if (refusal !== null) void refuseUpgrade(socket, refusal);
    } catch (error) {
      console.error("An upgrade failed unexpectedly:", error);
      socket.destroy();
    }
  });

  const upgrade = (
    message: IncomingMessage,
    socket: Socket,
    head: Uint8Array,
  ): Response | null => {
    const headers = readHeaders(message);
    const url = readUrl(message, headers);
    const method = message.method ?? "GET";
    const answerer = options.answerer();
    if (guard === null) return errorResponse("engine.unavailable", "The engine is starting");
    if (url === null) return errorResponse("request.invalid", "The target is not a URL");
    const verdict = guard.check({ method, url, headers, isUpgrade: true });
    const isOurs = offeredSubprotocols(headers).includes(SUBPROTOCOL);
    // A browser shows its page no status of an upgrade that fails. One that is let in by origin and speaks our protocol learns by a close
    // code that its token is wrong; any other hears nothing but the status.
    const isTokenWrong = !verdict.allowed && verdict.status === 401 && isOurs;
    if (!verdict.allowed && !isTokenWrong) return errorResponse(verdict.code, verdict.message);
    if (url.pathname !== "/pulse") {
      return errorResponse("route.notFound", "WebSockets are served at /pulse alone");
    }
    const fault = upgradeFault(method, headers);
    if (fault !== null) return errorResponse("request.invalid", `Cannot upgrade: ${fault}`);
    if (answerer === null) {
      return errorResponse("engine.unavailable", "The engine is starting or stopping");
    }
    const open = (connection: Connection | null): ServerSocket => {
      socket.write(switchingProtocols(
        headers.get("sec-websocket-key") ?? "",
        isOurs ? SUBPROTOCOL : null,
      ));
      return new ServerSocket(socket, head, {
        text: (text) => connection?.onText(text),
        binary: () => connection?.onBinary(),
        drain: () => connection?.onDrain(),
        close: (code) => connection?.onClose(code),
      }, options.pingEveryMs);
    };
    if (isTokenWrong) {
      open(null).close(CLOSE.token, "the token is missing or wrong");
      return null;
    }
    if (!answerer.accept(open)) {
      return errorResponse(
        "engine.unavailable",
        `The limit connections is ${SERVER_LIMITS.connections}`,
        { limit: "connections", max: SERVER_LIMITS.connections },
      );
    }
    return null;
  };

  const port = await new Promise<number>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
  server.on("error", (error) => console.error("The server failed:", error));
  const ready = new Guard({ ...options, port });
  guard = ready;
  const shown = options.host === "0.0.0.0"
    ? "127.0.0.1"
    : options.host === "::"
    ? "::1"
    : options.host;
  return {
    port,
    url: `http://${urlHost(shown)}:${port}`,
    guard: ready,
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      lines.close(graceMs);
      await closed;
    },
  };
}

async function refuseUpgrade(socket: Socket, response: Response): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  const head = [
    `HTTP/1.1 ${response.status} Refused`,
    "Connection: close",
    `Content-Length: ${body.length}`,
    ...[...response.headers].map(([name, value]) => `${name}: ${value}`),
    "",
    "",
  ].join("\r\n");
  endLine(socket, head, body);
}

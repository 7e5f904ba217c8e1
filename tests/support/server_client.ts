/**
 * What tests of the server share: a server over the stand-in, a client that keeps all it hears in order, and a line without any client at all.
 *
 * @module
 */
import { Server, type ServerConfig } from "../../server/server.ts";
import { PATIENCE_MS } from "./wait.ts";
import { StandInEngine, type StandInOptions } from "./stand_in_engine.ts";

/** A server over the stand-in, and the engine behind it. */
export interface TestServer extends AsyncDisposable {
  server: Server;
  engine: StandInEngine;
  url: string;
  host: string;
}

/** Starts a server on a free port. */
export async function startServer(
  config: Partial<ServerConfig> = {},
  options: StandInOptions = {},
): Promise<TestServer> {
  const engine = new StandInEngine(options);
  const server = await Server.bind({
    host: "127.0.0.1",
    port: 0,
    token: null,
    origins: [],
    checkResults: true,
    ...config,
  });
  server.serve(engine);
  return {
    server,
    engine,
    url: server.url,
    host: `127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** A message that came over a WebSocket. */
export type Heard = Record<string, unknown> & {
  id?: unknown;
  method?: string;
  // deno-lint-ignore no-explicit-any
  params?: any;
  // deno-lint-ignore no-explicit-any
  result?: any;
  error?: {
    code: number;
    message: string;
    data?: { code?: string; details: Record<string, unknown> };
  };
};

/** A client with the runtime's own WebSocket, which knows nothing of ours. */
export class TestClient implements AsyncDisposable {
  /** All that came, in order: parsed text, bytes as they are. */
  readonly heard: (Heard | Heard[] | ArrayBuffer)[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #socket: WebSocket;
  #lastId = 1_000;
  #wake: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => {
        resolve({ code, reason });
        this.#wake();
      };
    });
    socket.onerror = (event) => event.preventDefault();
    socket.onmessage = ({ data }) => {
      this.heard.push(typeof data === "string" ? JSON.parse(data) : data);
      this.#wake();
    };
  }

  /** Connects, and waits until the connection is open or has failed. */
  static async connect(url: string, protocols: string[] = ["loophole.v1"]): Promise<TestClient> {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}/pulse`, protocols);
    const client = new TestClient(socket);
    const opened = new Promise((resolve) => socket.onopen = resolve);
    await Promise.race([opened, client.closed]);
    return client;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  /** Sends what is no request, or anything else. */
  sendRaw(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  /** Sends a request and returns its id. */
  send(method: string, params?: unknown): number {
    const id = ++this.#lastId;
    this.sendRaw(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return id;
  }

  /** Sends a request and waits for its reply. */
  async call(method: string, params?: unknown): Promise<Heard> {
    const id = this.send(method, params);
    return await this.until((message) => message.id === id);
  }

  /** Waits for a message, those that came already included. Fails when the connection ends first. */
  async until(isIt: (message: Heard) => boolean, limitMs = PATIENCE_MS): Promise<Heard> {
    const found = await this.#wait(
      () => this.messages().find(isIt),
      limitMs,
      "the message did not come",
    );
    return found;
  }

  /** Waits until something holds of all that came. */
  async untilTrue(holds: () => boolean, limitMs = PATIENCE_MS): Promise<void> {
    await this.#wait(() => holds() ? true : undefined, limitMs, "the condition did not come true");
  }

  /** The text messages that came, those of batches one by one. */
  messages(): Heard[] {
    const messages: Heard[] = [];
    for (const one of this.heard) {
      if (Array.isArray(one)) messages.push(...one);
      else if (!(one instanceof ArrayBuffer)) messages.push(one);
    }
    return messages;
  }

  /** Ends the connection and waits for its end. */
  async close(): Promise<{ code: number; reason: string }> {
    this.#socket.close();
    return await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #wait<T>(get: () => T | undefined, limitMs: number, failure: string): Promise<T> {
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.#wake();
    }, limitMs);
    try {
      while (true) {
        const found = get();
        if (found !== undefined) return found;
        if (isOver || this.#socket.readyState === WebSocket.CLOSED) {
          const last = JSON.stringify(this.messages().slice(-5));
          throw new Error(`${failure}; heard: ${last.slice(-1_000)}`);
        }
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What a line answered. */
export interface RawAnswer {
  status: number;
  head: string;
  body: string;
}

/** Sends bytes as they are and gives what came until the other side ended, upgraded, or `waitMs` passed. */
export async function rawRequest(
  host: string,
  text: string,
  waitMs = PATIENCE_MS,
): Promise<RawAnswer> {
  const [hostname, port] = host.split(":");
  using line = await Deno.connect({ hostname, port: Number(port) });
  const writing = writeAll(line, new TextEncoder().encode(text)).catch(() => {});
  let answer = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  const timer = setTimeout(() => line.close(), waitMs);
  try {
    while (true) {
      const read = await line.read(buffer);
      if (read === null) break;
      answer += decoder.decode(buffer.subarray(0, read), { stream: true });
      if (/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/.test(answer)) break;
    }
  } catch {
    // Closed by the timer, or reset by a server that had enough: what came is the answer.
  }
  clearTimeout(timer);
  await writing;
  const [head, ...rest] = answer.split("\r\n\r\n");
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0),
    head,
    body: rest.join("\r\n\r\n"),
  };
}

/** The head of an upgrade, with some headers replaced or added; `null` leaves one out. */
export function upgradeHead(host: string, changed: Record<string, string | null> = {}): string {
  const headers: Record<string, string | null> = {
    Host: host,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...changed,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : `${name}: ${value}`
  );
  return `GET /pulse HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** A frame as a client sends it, masked. */
export function clientFrame(
  opcode: number,
  payload: Uint8Array,
  fin = true,
): Uint8Array<ArrayBuffer> {
  const mask = [7, 77, 177, 211];
  const size = payload.length;
  const head = size < 126
    ? [size]
    : size < 65_536
    ? [126, size >> 8, size & 255]
    : [127, 0, 0, 0, 0, size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255];
  head[0] |= 128;
  const frame = new Uint8Array(1 + head.length + 4 + size);
  frame.set([(fin ? 128 : 0) | opcode, ...head, ...mask]);
  for (let i = 0; i < size; i++) frame[1 + head.length + 4 + i] = payload[i] ^ mask[i & 3];
  return frame;
}

/** Writes all of `bytes`. */
export async function writeAll(line: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await line.write(bytes.subarray(at));
}

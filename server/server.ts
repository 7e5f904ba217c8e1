/**
 * The server as one value: bound first, so that a port that is taken is known before a device is opened, then given its engine.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { EngineApi } from "../engine/api.ts";
import { createApp } from "./http/app.ts";
import { FileReader } from "./http/file_reader.ts";
import { Hub } from "./hub.ts";
import { type Answerer, listen, type Listening } from "./listen.ts";
import { METHODS } from "./rpc/methods.ts";
import { toOpenRpc } from "./rpc/openrpc.ts";
import { Tickets } from "./tickets.ts";

/** What a server is bound with. */
export interface ServerConfig {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** `null`: none is asked for. */
  token: string | null;
  /** Other origins that are let in. */
  origins: readonly string[];
  /** Folder of the page; `web/` beside this file if left out. */
  webRoot?: string;
  /** Checks what is sent against its schema as well; {@linkcode Server.faults} tells (tests). */
  checkResults?: boolean;
  /** How long a line may be idle, in milliseconds (tests). */
  idleMs?: number;
  /** Time between two pings, in milliseconds (tests). */
  pingEveryMs?: number;
}

/** Time that clients have to end, in milliseconds. */
const GRACE_MS = 1_000;

/** A bound server. Answers 503 until {@linkcode Server.serve}, and from the beginning of {@linkcode Server.close} on. */
export class Server implements AsyncDisposable {
  readonly #config: ServerConfig;
  readonly #tickets: Tickets;
  readonly #listening: Listening;
  readonly #files = new FileReader();
  #answerer: Answerer | null = null;
  #hub: Hub | null = null;

  private constructor(config: ServerConfig, tickets: Tickets, listening: Listening) {
    this.#config = config;
    this.#tickets = tickets;
    this.#listening = listening;
  }

  /**
   * Binds the address.
   *
   * @throws the system's error, with `code` `EADDRINUSE` where the port is taken.
   */
  static async bind(config: ServerConfig): Promise<Server> {
    const tickets = new Tickets();
    let server: Server | null = null;
    const listening = await listen({
      ...config,
      tickets,
      answerer: () => server === null ? null : server.#answerer,
    });
    server = new Server(config, tickets, listening);
    return server;
  }

  /** Where a browser finds it. */
  get url(): string {
    return this.#listening.url;
  }

  get port(): number {
    return this.#listening.port;
  }

  /** What was sent though its schema has it otherwise; filled with `checkResults` alone. */
  get faults(): readonly string[] {
    return this.#hub?.faults ?? [];
  }

  /** Begins to answer. The engine stays its owner's. */
  serve(engine: EngineApi): void {
    const { checkResults } = this.#config;
    const hub = new Hub({
      engine,
      methods: METHODS,
      tickets: this.#tickets,
      ...(checkResults === undefined ? {} : { checkResults }),
    });
    const app = createApp({
      engine,
      files: this.#files,
      webRoot: this.#config.webRoot ?? fileURLToPath(new URL("./web", import.meta.url)),
      guard: this.#listening.guard,
      counters: () => ({ ...hub.counters, file_streams: this.#files.streams }),
      openRpc: () =>
        toOpenRpc(METHODS.values(), engine.version, `${this.url.replace(/^http/, "ws")}/pulse`),
    });
    this.#hub = hub;
    this.#answerer = {
      fetch: (request) => app.fetch(request),
      accept: (open) => {
        if (hub.isFull) return false;
        hub.accept(open);
        return true;
      },
    };
  }

  /** Refuses what is new, ends connections with 1001, and resolves when no client is left. */
  async close(): Promise<void> {
    this.#answerer = null;
    const hub = this.#hub;
    this.#hub = null;
    await Promise.all([hub?.close(GRACE_MS), this.#listening.close(GRACE_MS)]);
    this.#files[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

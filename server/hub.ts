/**
 * All connections: one listener on the engine and one meter pump for them together.
 *
 * @module
 */
import type { EngineApi, Notification } from "../engine/api.ts";
import { afterMs } from "../engine/bounded.ts";
import { Connection } from "./connection.ts";
import { CLOSE, SERVER_LIMITS } from "./limits.ts";
import { toParcel } from "./notices.ts";
import type { Parcel } from "./outbox.ts";
import type { Method } from "./rpc/method.ts";
import { NOTIFICATIONS } from "./rpc/notifications.ts";
import type { Tickets } from "./tickets.ts";
import type { ServerSocket } from "./ws/socket.ts";

/** Time between two meter frames, in milliseconds: 30 a second. */
const METERS_EVERY_MS = 1000 / 30;

/** What a {@linkcode Hub} is made with. */
export interface HubOptions {
  engine: EngineApi;
  methods: ReadonlyMap<string, Method>;
  tickets: Tickets;
  checkResults?: boolean;
}

/** Holds the connections and spreads what the engine tells. */
export class Hub {
  readonly #options: HubOptions;
  readonly #connections = new Set<Connection>();
  readonly #stopListening: () => void;
  #pump: ReturnType<typeof setInterval> | undefined;
  #accepted = 0;
  #closedForSlowness = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#stopListening = options.engine.listen((notification) => {
      if (options.checkResults) this.#check(notification);
      let parcel: Parcel | undefined; // Made once, and only if someone hears it.
      for (const connection of this.#connections) {
        connection.deliver(notification, parcel ??= toParcel(notification));
      }
    });
  }

  /** Notifications that are not what their schemas say. */
  readonly faults: string[] = [];

  /** Whether another connection would be one too many. */
  get isFull(): boolean {
    return this.#connections.size >= SERVER_LIMITS.connections;
  }

  /** Figures for `/metrics`. */
  get counters(): Record<string, number> {
    let waiting = 0;
    for (const connection of this.#connections) waiting += connection.waitingBytes;
    return {
      connections: this.#connections.size,
      connections_accepted_total: this.#accepted,
      connections_closed_too_slow_total: this.#closedForSlowness,
      connections_waiting_bytes: waiting,
    };
  }

  /** Takes a client in. `open` opens its socket and wires it to the connection. */
  accept(open: (connection: Connection) => ServerSocket): void {
    const { engine, methods, tickets, checkResults } = this.#options;
    const { ticket, revoke } = tickets.issue();
    const connection: Connection = new Connection({
      engine,
      methods,
      clientId: crypto.randomUUID(),
      ticket,
      onTooSlow: () => void this.#closedForSlowness++,
      onEnd: () => {
        revoke();
        this.#connections.delete(connection);
        this.#updatePump();
      },
      onTopics: () => this.#updatePump(),
      ...(checkResults === undefined ? {} : { checkResults }),
    });
    this.#accepted++;
    this.#connections.add(connection);
    connection.attach(open(connection));
  }

  /** Ends every connection with 1001; the lines are cut after `graceMs` where clients do not answer. */
  async close(graceMs: number): Promise<void> {
    this.#stopListening();
    for (const connection of this.#connections) {
      connection.close(CLOSE.stopping, "the engine stops");
    }
    this.#updatePump();
    let isOver = false;
    const stop = afterMs(graceMs, () => isOver = true);
    while (this.#connections.size > 0 && !isOver) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    stop();
    for (const connection of this.#connections) connection.destroy();
  }

  #check({ method, params, topic }: Notification): void {
    const type = NOTIFICATIONS.find(({ name }) => name === method);
    const issues = type?.params.safeParse(params).error?.message;
    if (type === undefined) this.faults.push(`${method} is not declared`);
    else if (type.topic !== topic) this.faults.push(`${method} has the topic ${topic}`);
    else if (issues !== undefined) this.faults.push(`${method}: ${issues}`);
  }

  #updatePump(): void {
    let isWanted = false;
    for (const { topics } of this.#connections) isWanted ||= topics.has("meters");
    if (isWanted === (this.#pump !== undefined)) return;
    if (isWanted) {
      this.#options.engine.takeMeters(); // What gathered while nobody looked is old.
      this.#pump = setInterval(() => this.#sendMeters(), METERS_EVERY_MS);
    } else {
      clearInterval(this.#pump);
      this.#pump = undefined;
    }
  }

  #sendMeters(): void {
    try {
      const frame = this.#options.engine.takeMeters();
      if (frame === null) return;
      const parcel: Parcel = { data: frame, key: "meters" };
      for (const connection of this.#connections) {
        if (connection.topics.has("meters")) connection.push(parcel);
      }
    } catch (error) {
      console.error("The meters could not be read:", error);
    }
  }
}

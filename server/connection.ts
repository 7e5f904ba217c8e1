/**
 * One client on `/pulse`: its requests, what it has subscribed to, and the one ordered queue of all that goes to it.
 *
 * @module
 */
import type { EngineApi, Notification, Topic } from "../engine/api.ts";
import { inSlices } from "../engine/pulse/store/slices.ts";
import { CLOSE, SERVER_LIMITS } from "./limits.ts";
import { encodeNotification } from "./notices.ts";
import { Outbox, type Parcel } from "./outbox.ts";
import { Dispatcher } from "./rpc/dispatch.ts";
import type { Client, Method } from "./rpc/method.ts";
import type { ServerSocket } from "./ws/socket.ts";

/** Characters of requests that wait for their turn, from which on no more are read from the line, and below which again. */
const INBOX_HIGH = 4 * 1024 * 1024;
const INBOX_LOW = 512 * 1024;

/** What a {@linkcode Connection} is made with. */
export interface ConnectionOptions {
  engine: EngineApi;
  methods: ReadonlyMap<string, Method>;
  clientId: string;
  ticket: string;
  /** Called once, when the connection has ended. */
  onEnd(): void;
  /** Called when it is closed because it does not read. */
  onTooSlow(): void;
  /** Called when `topics` may have changed. */
  onTopics(): void;
  checkResults?: boolean;
}

/** One client's connection. */
export class Connection implements Client {
  clientId: string;
  readonly ticket: string;
  readonly topics = new Set<Topic>();
  readonly followed = new Map<number, () => void>();
  readonly streams = new Set<string>();
  readonly windows = new Set<string>();
  ended = false;
  readonly #options: ConnectionOptions;
  readonly #dispatcher: Dispatcher;
  #socket: ServerSocket | null = null;
  #outbox: Outbox | null = null;
  #closing: { code: number; reason: string } | null = null;
  #isPaused = false;
  #resume: ReturnType<typeof setInterval> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.clientId = options.clientId;
    this.ticket = options.ticket;
    this.#dispatcher = new Dispatcher({
      methods: options.methods,
      context: { engine: options.engine, client: this },
      send: (reply) => this.#reply(reply),
      sendLate: (writing) => this.#replyLate(writing),
      ...(options.checkResults === undefined ? {} : { checkResults: options.checkResults }),
    });
  }

  /** The socket, once it is open. */
  attach(socket: ServerSocket): void {
    this.#socket = socket;
    this.#outbox = new Outbox(socket, SERVER_LIMITS.waitingBytes);
  }

  /** Bytes that wait for the client, here and on the line. */
  get waitingBytes(): number {
    return (this.#outbox?.waitingBytes ?? 0) + (this.#socket?.waitingBytes ?? 0);
  }

  /** A text message came. */
  onText(text: string): void {
    this.#dispatcher.receive(text);
    if (this.#dispatcher.inboxBytes > INBOX_HIGH && !this.#isPaused) this.#pauseReading();
  }

  /** A binary message came; the protocol has none from clients. */
  onBinary(): void {
    this.close(CLOSE.protocol, "requests are text, not binary");
  }

  /** The line took what was sent. */
  onDrain(): void {
    this.#outbox?.flush();
  }

  /** The connection has ended. `code` tells whether the client said goodbye. */
  onClose(code: number): void {
    const isGoodbye = this.#closing === null && code !== 1006;
    this.#end(isGoodbye);
    this.#options.onEnd();
  }

  /** Sends a notification if the client asked for its topic or it concerns the client itself. */
  deliver(notification: Notification, parcel: Parcel): void {
    if (
      this.topics.has(notification.topic) ||
      (notification.clientId !== undefined && notification.clientId === this.clientId)
    ) {
      this.push(parcel);
    }
  }

  /** Puts something at the end of the queue; a client with too much waiting is closed. */
  push(parcel: Parcel): void {
    if (this.#closing !== null || this.#outbox === null) return;
    if (parcel.late !== undefined) this.#pushLate(parcel.late());
    else if (!this.#outbox.push(parcel)) this.#endSlow();
  }

  #endSlow(): void {
    this.#options.onTooSlow();
    this.close(CLOSE.tooSlow, `waitingBytes ${SERVER_LIMITS.waitingBytes} are waiting to be read`);
  }

  sendBinary(frame: Uint8Array<ArrayBuffer>, key?: string): void {
    this.push(key === undefined ? { data: frame } : { data: frame, key });
  }

  notify(method: string, params: unknown): void {
    this.push({ data: encodeNotification(method, params) });
  }

  closeAfterReply(code: number, reason: string): void {
    // The reply is queued in this turn; what is queued goes out before the close frame.
    queueMicrotask(() => this.close(code, reason));
  }

  /** Ends the connection: what has been sent arrives, what waits is dropped. */
  close(code: number, reason: string): void {
    if (this.#closing !== null) return;
    this.#closing = { code, reason };
    this.#end(false);
    this.#socket?.close(code, reason);
  }

  /** Cuts the line. */
  destroy(): void {
    this.#socket?.destroy();
  }

  #end(isGoodbye: boolean): void {
    clearInterval(this.#resume);
    this.#dispatcher.close(isGoodbye);
    this.#outbox?.clear();
    for (const stop of [...this.followed.values()]) stop();
    this.ended = true;
    const { streams, clipWindows } = this.#options.engine;
    for (const handleId of this.streams) quietly(() => streams.stop(handleId, "connection"));
    for (const windowId of this.windows) quietly(() => clipWindows.release(windowId));
    quietly(() => this.#options.engine.viewHint(this, {}));
    this.streams.clear();
    this.windows.clear();
    this.topics.clear();
    this.#options.onTopics();
  }

  #reply(reply: string): void {
    this.push({ data: reply });
    this.#options.onTopics();
  }

  /** What is queued meanwhile goes out behind it. */
  #replyLate(writing: Generator<void, string>): void {
    if (this.#closing !== null) return;
    this.#pushLate(inSlices(writing));
    this.#options.onTopics();
  }

  #pushLate(text: Promise<string>): void {
    if (this.#outbox === null) return;
    const put = this.#outbox.reserve();
    void text.then((text) => {
      if (!put(text)) this.#endSlow();
    });
  }

  #pauseReading(): void {
    this.#isPaused = true;
    this.#socket?.pause();
    this.#resume = setInterval(() => {
      if (this.#dispatcher.inboxBytes > INBOX_LOW) return;
      clearInterval(this.#resume);
      this.#isPaused = false;
      this.#socket?.resume();
    }, 5);
  }
}

/** Ends what may have ended by itself. */
function quietly(end: () => void): void {
  try {
    end();
  } catch {
    // It had.
  }
}

/**
 * One WebSocket over a TCP connection that the HTTP server has handed over.
 *
 * @module
 */
import type { Socket } from "node:net";
import { afterMs } from "../../engine/bounded.ts";
import { PING_EVERY_MS, SERVER_LIMITS, SILENT_AFTER_PINGS } from "../limits.ts";
import { closePayload, frameHeader, FrameReader, OPCODE } from "./frames.ts";

/** What a {@linkcode ServerSocket} tells its owner. None may throw; each is caught all the same. */
export interface SocketEvents {
  text(text: string): void;
  /** A binary message came; its bytes are not kept. */
  binary(): void;
  /** What was sent has left: there is room again. */
  drain(): void;
  /** The end, once. `code` is the client's, ours where we closed, 1006 where the line broke. */
  close(code: number): void;
}

/** How long a client has to answer a close before the line is cut, in milliseconds. */
const LINGER_MS = 10_000;

/** A server's end of a WebSocket: pings, answers pings, cuts a silent line, and closes with a code that arrives. */
export class ServerSocket {
  readonly #line: Socket;
  readonly #reader: FrameReader;
  readonly #events: SocketEvents;
  readonly #pinger: ReturnType<typeof setInterval>;
  #stopLinger = () => {};
  /** Pings since something was heard: counted, not timed, so that what arrived in a standstill of the machine is heard first. */
  #unansweredPings = 0;
  /** `open`, then `closing` once either side said so, then `closed`. */
  #state: "open" | "closing" | "closed" = "open";
  #code = 1006;

  /** @param line The connection, after the answer that opens; `head`: bytes of it that came already. */
  constructor(line: Socket, head: Uint8Array, events: SocketEvents, pingEveryMs = PING_EVERY_MS) {
    this.#line = line;
    this.#events = events;
    this.#reader = new FrameReader(SERVER_LIMITS.messageBytes);
    line.setNoDelay(true);
    line.setTimeout(0);
    line.on("data", (bytes: Uint8Array) => this.#guarded(() => this.#read(bytes)));
    line.on("drain", () => this.#guarded(() => this.#events.drain()));
    line.on("error", () => line.destroy()); // A broken line is an end like any other.
    line.on("end", () => this.#guarded(() => this.#otherSideEnded()));
    line.on("close", () => this.#ended());
    this.#pinger = setInterval(() => this.#guarded(() => this.#ping()), pingEveryMs);
    if (head.length > 0) this.#guarded(() => this.#read(head));
  }

  /** Bytes that the line has not taken yet. */
  get waitingBytes(): number {
    return this.#line.writableLength;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Sends a text or binary message. Nothing is sent once the end has begun. */
  send(data: string | Uint8Array): void {
    if (this.#state !== "open") return;
    if (typeof data === "string") this.#write(OPCODE.text, new TextEncoder().encode(data));
    else this.#write(OPCODE.binary, data);
  }

  /** Stops and goes on reading: what the client sends meanwhile waits on its side. */
  pause(): void {
    this.#line.pause();
  }
  resume(): void {
    this.#unansweredPings = 0;
    this.#line.resume();
  }

  /** Begins the end: the client is told why; the line is cut when it has answered, or after 10 s. */
  close(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.#code = code;
    this.#beginEnd(closePayload(code, reason));
  }

  /** Cuts the line. */
  destroy(): void {
    this.#line.destroy();
  }

  #beginEnd(payload: Uint8Array): void {
    this.#write(OPCODE.close, payload);
    this.#state = "closing";
    clearInterval(this.#pinger);
    // What still comes is read and dropped: a line cut with unread bytes would be reset, and the code lost.
    this.#stopLinger = afterMs(LINGER_MS, () => this.#line.destroy());
  }

  /** The client says no more, without a close frame. */
  #otherSideEnded(): void {
    if (this.#state === "open") {
      this.#state = "closing";
      clearInterval(this.#pinger);
      this.#stopLinger = afterMs(LINGER_MS, () => this.#line.destroy());
    }
    this.#line.end();
  }

  #read(bytes: Uint8Array): void {
    this.#unansweredPings = 0;
    if (this.#state === "closed") return;
    for (const message of this.#reader.push(bytes)) {
      if (message.kind === "close") {
        if (this.#state === "open") {
          this.#code = message.code;
          this.#beginEnd(message.code === 1005 ? new Uint8Array() : closePayload(message.code, ""));
        }
        this.#line.end();
        return;
      }
      if (this.#state !== "open") continue;
      if (message.kind === "text") this.#events.text(message.text);
      else if (message.kind === "binary") this.#events.binary();
      else if (message.kind === "ping") this.#write(OPCODE.pong, message.payload);
      else if (message.kind === "failure") {
        this.close(message.code, message.reason);
        // Nothing more can be understood, an answer neither. What comes is dropped until the client ends too.
        this.#line.end();
      }
    }
  }

  #ping(): void {
    if (++this.#unansweredPings > SILENT_AFTER_PINGS) this.#line.destroy();
    else this.#write(OPCODE.ping, new Uint8Array());
  }

  #write(opcode: number, payload: Uint8Array): void {
    if (this.#line.destroyed || !this.#line.writable) return;
    this.#line.cork();
    this.#line.write(frameHeader(opcode, payload.length));
    if (payload.length > 0) this.#line.write(payload);
    this.#line.uncork();
  }

  #ended(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearInterval(this.#pinger);
    this.#stopLinger();
    this.#guarded(() => this.#events.close(this.#code));
  }

  /** An exception in an event of the line would end the process. */
  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      console.error("A WebSocket's handler threw:", error);
      this.#line.destroy();
    }
  }
}

/**
 * The TCP lines of a server: how many there are, which are at work, which have said nothing for too long.
 *
 * @module
 */
import type { Socket } from "node:net";

interface Line {
  /** Requests under way, or the WebSocket that it has become. */
  underWay: number;
  /** When it had nothing under way last, in milliseconds. */
  idleSinceMs: number;
}

/** What {@linkcode Lines} keeps to. */
export interface LinesOptions {
  /** Most lines; one too many is cut at once. */
  max: number;
  /** How long a line may be open with nothing under way, in milliseconds: a request's head has to arrive by then. */
  idleMs: number;
}

/** Keeps count of lines, from their opening to their end. */
export class Lines {
  readonly #options: LinesOptions;
  readonly #lines = new Map<Socket, Line>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  #isClosing = false;
  #cut: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LinesOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), options.idleMs / 4);
  }

  /** A line was opened. */
  add(socket: Socket): void {
    if (this.#isClosing || this.#lines.size >= this.#options.max) return void socket.destroy();
    this.#lines.set(socket, { underWay: 0, idleSinceMs: performance.now() });
    socket.on("close", () => {
      this.#lines.delete(socket);
      if (this.#lines.size === 0) clearTimeout(this.#cut);
    });
  }

  /** Something begins on a line. */
  begin(socket: Socket): void {
    const line = this.#lines.get(socket);
    if (line) line.underWay++;
  }

  /** Something has ended on a line. */
  end(socket: Socket): void {
    const line = this.#lines.get(socket);
    if (line === undefined) return;
    line.underWay--;
    line.idleSinceMs = performance.now();
    if (this.#isClosing && line.underWay === 0) socket.end();
  }

  /** Takes no more lines, cuts those with nothing under way at once and the others after `graceMs`. */
  close(graceMs: number): void {
    this.#isClosing = true;
    clearInterval(this.#sweeper);
    for (const [socket, { underWay }] of this.#lines) {
      if (underWay === 0) socket.destroy();
    }
    if (this.#lines.size === 0) return;
    this.#cut = setTimeout(() => {
      for (const socket of this.#lines.keys()) socket.destroy();
    }, graceMs);
  }

  #sweep(): void {
    const before = performance.now() - this.#options.idleMs;
    for (const [socket, { underWay, idleSinceMs }] of this.#lines) {
      if (underWay === 0 && idleSinceMs < before) socket.destroy();
    }
  }
}

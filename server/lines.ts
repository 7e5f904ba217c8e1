/**
 * The TCP lines of a server: how many there are, which are at work, which have said nothing for too long.
 *
 * @module
 */
import type { Socket } from "node:net";
import { afterMs } from "../engine/bounded.ts";

interface Line {
  /** Requests under way, or the WebSocket that it has become. */
  underWay: number;
  /** Sweeps that found it with nothing under way, one after another. */
  idleSweeps: number;
}

/** What {@linkcode Lines} keeps to. */
export interface LinesOptions {
  /** Most lines; one too many is cut at once. */
  max: number;
  /** How long a line may be open with nothing under way, in milliseconds: a request's head has to arrive by then. */
  idleMs: number;
}

/**
 * Sweeps in the time that a line may be idle. They are counted, not the time: after a standstill of the machine what has arrived meanwhile is
 * read before the next sweep.
 */
const SWEEPS = 4;

/** Keeps count of lines, from their opening to their end. */
export class Lines {
  readonly #options: LinesOptions;
  readonly #lines = new Map<Socket, Line>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  #isClosing = false;
  #stopCut = () => {};

  constructor(options: LinesOptions) {
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), options.idleMs / SWEEPS);
  }

  /** A line was opened. */
  add(socket: Socket): void {
    if (this.#isClosing || this.#lines.size >= this.#options.max) return void socket.destroy();
    this.#lines.set(socket, { underWay: 0, idleSweeps: 0 });
    socket.on("close", () => {
      this.#lines.delete(socket);
      if (this.#lines.size === 0) this.#stopCut();
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
    line.idleSweeps = 0;
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
    this.#stopCut = afterMs(graceMs, () => {
      for (const socket of this.#lines.keys()) socket.destroy();
    });
  }

  #sweep(): void {
    for (const [socket, line] of this.#lines) {
      if (line.underWay === 0 && ++line.idleSweeps > SWEEPS) socket.destroy();
    }
  }
}

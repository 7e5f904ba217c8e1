/**
 * WebSocket frames (RFC 6455) as values: a reader of what a client sends and the bytes of what a server sends. No I/O.
 *
 * Why an own reader: the runtime's answers a message over its limit by dropping the connection without a close code, gathers fragments
 * without a limit, and cannot say when a slow client has caught up.
 *
 * @module
 */
import { CLOSE } from "../limits.ts";

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What a client sent. */
export type Incoming =
  | { kind: "text"; text: string }
  | { kind: "binary" }
  | { kind: "ping"; payload: Uint8Array }
  | { kind: "pong" }
  | { kind: "close"; code: number }
  /** Nothing after this is read: close with `code`. */
  | { kind: "failure"; code: number; reason: string };

/** A frame from a server: whole, unmasked. */
export function frameHeader(opcode: number, payloadBytes: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10);
  const view = new DataView(header.buffer);
  header[0] = 0x80 | opcode;
  if (payloadBytes < 126) {
    header[1] = payloadBytes;
  } else if (payloadBytes < 65_536) {
    header[1] = 126;
    view.setUint16(2, payloadBytes);
  } else {
    header[1] = 127;
    view.setBigUint64(2, BigInt(payloadBytes));
  }
  return header;
}

/** The payload of a close frame; `reason` is cut to what a control frame holds. */
export function closePayload(code: number, reason: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(reason).subarray(0, 123);
  const payload = new Uint8Array(2 + text.length);
  new DataView(payload.buffer).setUint16(0, code);
  payload.set(text, 2);
  return payload;
}

/** Header of a frame that is being read. */
interface Head {
  fin: boolean;
  opcode: number;
  mask: Uint8Array;
  length: number;
}

/** Turns bytes into messages; holds at most one message of `maxBytes`, fragments together. */
export class FrameReader {
  readonly #maxBytes: number;
  /** Bytes that came and are not yet read. */
  #chunks: Uint8Array[] = [];
  #available = 0;
  #head: Head | null = null;
  /** The data message under way: its opcode and the payloads of its fragments. */
  #opcode = 0;
  #fragments: Uint8Array[] = [];
  #fragmentBytes = 0;
  #ended = false;

  /** @param maxBytes Greatest message; one that announces more fails with 1009 before its payload is read. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes bytes in and gives each message that they complete, in order. `bytes` may be kept. */
  *push(bytes: Uint8Array): Generator<Incoming, void> {
    if (this.#ended) return;
    this.#chunks.push(bytes);
    this.#available += bytes.length;
    while (true) {
      if (this.#head === null) {
        const head = this.#readHead();
        if (head === null) return;
        if ("kind" in head) {
          this.#ended = true;
          this.#chunks = [];
          this.#fragments = [];
          yield head;
          return;
        }
        this.#head = head;
      }
      if (this.#available < this.#head.length) return;
      const head = this.#head;
      this.#head = null;
      const payload = this.#take(head.length);
      unmask(payload, head.mask);
      const message = this.#readPayload(head, payload);
      if (message === null) continue;
      if (message.kind === "close" || message.kind === "failure") this.#ended = true;
      yield message;
      if (this.#ended) return;
    }
  }

  #readHead(): Head | Incoming | null {
    if (this.#available < 2) return null;
    const [first, second] = this.#peek(2);
    const size = second & 127;
    const headBytes = 2 + (size === 126 ? 2 : size === 127 ? 8 : 0) + 4;
    const opcode = first & 15;
    const fin = (first & 128) !== 0;
    if ((first & 0x70) !== 0) return failure("a reserved bit is set");
    if ((second & 128) === 0) return failure("a client's frame is not masked");
    if (opcode >= 8 && (!fin || size > 125)) {
      return failure("a control frame is fragmented or too long");
    }
    if (opcode > OPCODE.pong || (opcode > OPCODE.binary && opcode < OPCODE.close)) {
      return failure(`opcode ${opcode} is unknown`);
    }
    if (opcode === OPCODE.continuation && this.#opcode === 0) return failure("nothing to continue");
    if ((opcode === OPCODE.text || opcode === OPCODE.binary) && this.#opcode !== 0) {
      return failure("a message began within another");
    }
    if (this.#available < headBytes) return null;
    const bytes = this.#take(headBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, headBytes);
    const length = size === 126
      ? view.getUint16(2)
      : size === 127
      ? Number(view.getBigUint64(2))
      : size;
    if (opcode < OPCODE.close && this.#fragmentBytes + length > this.#maxBytes) {
      return {
        kind: "failure",
        code: CLOSE.tooLarge,
        reason: `a message may have messageBytes ${this.#maxBytes}`,
      };
    }
    return { fin, opcode, mask: bytes.slice(headBytes - 4, headBytes), length };
  }

  #readPayload({ fin, opcode }: Head, payload: Uint8Array): Incoming | null {
    if (opcode === OPCODE.ping) return { kind: "ping", payload };
    if (opcode === OPCODE.pong) return { kind: "pong" };
    if (opcode === OPCODE.close) return readClose(payload);
    if (opcode !== OPCODE.continuation) this.#opcode = opcode;
    // Empty fragments would be free for who sends them and not for who keeps them.
    if (payload.length > 0) this.#fragments.push(payload);
    this.#fragmentBytes += payload.length;
    if (!fin) return null;
    const isText = this.#opcode === OPCODE.text;
    const whole = this.#fragments.length === 1
      ? this.#fragments[0]
      : concat(this.#fragments, this.#fragmentBytes);
    this.#opcode = 0;
    this.#fragments = [];
    this.#fragmentBytes = 0;
    if (!isText) return { kind: "binary" };
    try {
      return {
        kind: "text",
        text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(whole),
      };
    } catch {
      return { kind: "failure", code: CLOSE.invalidText, reason: "a text message is not UTF-8" };
    }
  }

  #peek(count: number): Uint8Array {
    if (this.#chunks[0].length >= count) return this.#chunks[0];
    const taken = this.#take(count);
    this.#chunks.unshift(taken);
    this.#available += count;
    return taken;
  }

  /** The next `count` bytes, which must have come; memory of their own. */
  #take(count: number): Uint8Array {
    const taken = new Uint8Array(count);
    let filled = 0;
    let used = 0;
    while (filled < count) {
      const chunk = this.#chunks[used];
      const part = chunk.subarray(0, count - filled);
      taken.set(part, filled);
      filled += part.length;
      if (part.length === chunk.length) used++;
      else this.#chunks[used] = chunk.subarray(part.length);
    }
    this.#chunks.splice(0, used);
    this.#available -= count;
    return taken;
  }
}

function failure(reason: string): Incoming {
  return { kind: "failure", code: CLOSE.protocolError, reason };
}

function readClose(payload: Uint8Array): Incoming {
  if (payload.length === 0) return { kind: "close", code: 1005 };
  if (payload.length === 1) return failure("a close frame has half a code");
  return { kind: "close", code: payload[0] << 8 | payload[1] };
}

function concat(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function unmask(payload: Uint8Array, mask: Uint8Array): void {
  // `payload` has memory of its own that starts at 0, so it can be seen as words.
  const words = new Uint32Array(payload.buffer, 0, payload.length >>> 2);
  const word = new Uint32Array(mask.buffer, mask.byteOffset, 1)[0];
  for (let i = 0; i < words.length; i++) words[i] ^= word;
  for (let i = words.length * 4; i < payload.length; i++) payload[i] ^= mask[i & 3];
}

/**
 * Answers of past requests, for clients that ask again because they do not know whether they were heard.
 *
 * @module
 */
import { jsonInSlices } from "../json_slices.ts";
import { LIMITS } from "./limits.ts";
import { atOnce } from "./turns.ts";

interface Remembered<Answer> {
  readonly clientId: string;
  readonly hash: string;
  readonly answer: () => Answer;
  readonly weight: number;
}

/** An id of this many characters or more is taken to be unique among all clients: one who comes back has another client id. */
const GLOBAL_ID_CHARS = 16;

/** Characters that are hashed in one turn: a fraction of a millisecond. */
const CHARS_A_TURN = 65_536;
/** Clips that all remembered answers may name together. */
const MOST_WEIGHT = 200_000;

/** The newest answers by `requestId`. */
export class RequestLog<Answer> {
  readonly #byId = new Map<string, Remembered<Answer>[]>();
  readonly #order: string[] = [];
  #weight = 0;

  /**
   * The first answer to a request, or `undefined`.
   *
   * The same client with the same id is the same request. Another client is, if the id is long enough to be unique and the
   * request says the same.
   */
  find(requestId: string, clientId: string, hash: string): Answer | undefined {
    const list = this.#byId.get(requestId);
    const found = list?.find((one) => one.clientId === clientId) ??
      (requestId.length >= GLOBAL_ID_CHARS ? list?.find((one) => one.hash === hash) : undefined);
    return found?.answer();
  }

  /** @param weight Clips that the answer names. */
  remember(
    requestId: string,
    clientId: string,
    hash: string,
    answer: () => Answer,
    weight = 0,
  ): void {
    const list = this.#byId.get(requestId) ?? [];
    list.push({ clientId, hash, answer, weight });
    this.#byId.set(requestId, list);
    this.#order.push(requestId);
    this.#weight += weight;
    while (
      this.#order.length > LIMITS.rememberedRequests ||
      this.#weight > MOST_WEIGHT && this.#order.length > 1
    ) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const requestId = this.#order.shift()!;
    const [oldest, ...rest] = this.#byId.get(requestId)!;
    this.#weight -= oldest.weight;
    if (rest.length === 0) this.#byId.delete(requestId);
    else this.#byId.set(requestId, rest);
  }
}

/** A short fingerprint of a request: FNV-1a, 53 bits of it, over its JSON. Not against forgers. */
export function hashRequest(request: unknown): string {
  return atOnce(hashing(JSON.stringify(request)));
}

/** The same of a large request, in turns. */
export function* hashingRequest(request: unknown): Generator<void, string> {
  return yield* hashing(yield* jsonInSlices(request));
}

function* hashing(text: string): Generator<void, string> {
  let a = 0x811c9dc5;
  let b = 0x1000193;
  for (let from = 0; from < text.length; from += CHARS_A_TURN) {
    if (from > 0) yield;
    const end = Math.min(text.length, from + CHARS_A_TURN);
    for (let i = from; i < end; i++) {
      const unit = text.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x01000193);
      b = Math.imul(b ^ unit, 0x85ebca6b) ^ b >>> 13;
    }
  }
  return `${text.length.toString(36)}-${(a >>> 0).toString(36)}-${(b >>> 0).toString(36)}`;
}

/**
 * JSON-RPC 2.0: messages in, replies out (https://www.jsonrpc.org/specification). Knows methods, not connections.
 *
 * Order: messages are begun in the order they came, methods that say `ordered` run one after another, and a reply is queued at the moment when its
 * request is done. Work is cut into slices, so that a storm of requests leaves the thread to others in between.
 *
 * @module
 */
import { InvalidParams } from "../../engine/errors.ts";
import { parseParams } from "../../engine/pulse/schema.ts";
import { atOnce } from "../../engine/pulse/turns.ts";
import { SERVER_LIMITS } from "../limits.ts";
import { isDeeperThan } from "./depth.ts";
import { isLarge, jsonInSlices } from "../../engine/json_slices.ts";
import { limitExceeded, RPC_CODE, type RpcError, toRpcError } from "./errors.ts";
import { AtReply, type Context, type Method } from "./method.ts";
import { RateLimit } from "./rate.ts";

type Id = string | number | null;
/** A reply's JSON; one that is large is written in turns. */
type Written = string | Generator<void, string>;
/** A reply's JSON, made at once or when it is queued. */
type Reply = Written | (() => Written);
/** `null`: a notification, which gets no answer. */
type Outcome = Reply | null;

/** Longest time that requests of one connection run before others get their turn, in milliseconds. */
const SLICE_MS = 4;

/** What a {@linkcode Dispatcher} needs. */
export interface DispatcherOptions {
  methods: ReadonlyMap<string, Method>;
  context: Context;
  /** Puts a reply in the connection's queue. */
  send(reply: string): void;
  /** Keeps the place of a reply in the connection's queue until it is written, in turns. At once, if left out. */
  sendLate?(writing: Generator<void, string>): void;
  /** How many requests may come; {@linkcode SERVER_LIMITS} if left out (tests). */
  rate?: RateLimit;
  /** Checks results against their schemas as well (tests). */
  checkResults?: boolean;
}

/** One connection's requests. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #rate: RateLimit;
  /** Messages that wait for their turn, and whether one is at work. */
  readonly #inbox: string[] = [];
  #inboxBytes = 0;
  #isWorking = false;
  #sliceStart = 0;
  #pending = 0;
  /** The last ordered request that is not done, `null` if none. */
  #lane: Promise<unknown> | null = null;
  #isClosed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { requestsPerSecond, requestBurst } = SERVER_LIMITS;
    this.#rate = options.rate ??
      new RateLimit(requestsPerSecond, requestBurst, performance.now());
  }

  /** Characters of messages that wait for their turn. */
  get inboxBytes(): number {
    return this.#inboxBytes;
  }

  /** Takes a message in. Never throws. */
  receive(text: string): void {
    if (this.#isClosed) return;
    this.#inbox.push(text);
    this.#inboxBytes += text.length;
    if (!this.#isWorking) void this.#work();
  }

  /** Nothing more is taken in or answered. `finish`: what came before still takes effect, as after a client's own goodbye. */
  close(finish: boolean): void {
    this.#isClosed = true;
    if (finish) return;
    this.#inbox.length = 0;
    this.#inboxBytes = 0;
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    this.#sliceStart = performance.now();
    for (let text = this.#inbox.shift(); text !== undefined; text = this.#inbox.shift()) {
      this.#inboxBytes -= text.length;
      try {
        // Not awaited where nothing has to be: the reply to a synchronous request is queued before this returns.
        const done = this.#message(text);
        if (done) await done;
      } catch (error) {
        this.#send(errorReply(null, toRpcError(error)));
      }
      if (this.#isOverTime()) await this.#nextTurn();
    }
    this.#isWorking = false;
  }

  #isOverTime(): boolean {
    return performance.now() - this.#sliceStart > SLICE_MS;
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(() => {
        this.#sliceStart = performance.now();
        resolve();
      }, 0);
    });
  }

  /** Begins what a message asks for. The promise, if any, is of the beginning, not of the answers. */
  #message(text: string): Promise<void> | null {
    if (isDeeperThan(text, SERVER_LIMITS.messageDepth)) {
      this.#send(errorReply(null, toRpcError(limitExceeded("messageDepth"))));
      return null;
    }
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch (error) {
      const reason = error instanceof Error ? error.message.slice(0, 200) : "not JSON";
      this.#send(
        errorReply(null, { code: RPC_CODE.parseError, message: `Parse error: ${reason}` }),
      );
      return null;
    }
    if (Array.isArray(message)) return this.#batch(message);
    const outcome = this.#request(message);
    if (outcome instanceof Promise) void outcome.then((reply) => this.#answer(reply));
    else this.#answer(outcome);
    return null;
  }

  #batch(items: unknown[]): Promise<void> | null {
    if (items.length === 0) {
      this.#send(errorReply(null, invalidRequest("a batch must not be empty")));
      return null;
    }
    if (items.length > SERVER_LIMITS.batchRequests) {
      this.#send(errorReply(null, toRpcError(limitExceeded("batchRequests", items.length))));
      return null;
    }
    return this.#beginBatch(items);
  }

  async #beginBatch(items: unknown[]): Promise<void> {
    const outcomes: (Outcome | Promise<Outcome>)[] = [];
    let bytes = 0;
    const count = (reply: Outcome) => {
      if (typeof reply === "string") bytes += reply.length;
      return reply;
    };
    for (const item of items) {
      if (bytes > SERVER_LIMITS.batchReplyBytes) {
        if (isNotification(item)) continue;
        outcomes.push(errorReply(idOf(item), toRpcError(limitExceeded("batchReplyBytes"))));
        continue;
      }
      const outcome = this.#request(item);
      outcomes.push(outcome instanceof Promise ? outcome.then(count) : count(outcome));
      if (this.#isOverTime()) await this.#nextTurn();
    }
    const answer = (replies: Outcome[]) => {
      const made = replies.filter((reply) => reply !== null)
        .map((reply) => textOf(typeof reply === "function" ? reply() : reply));
      if (made.length > 0) this.#send(`[${made.join(",")}]`);
    };
    if (outcomes.some((outcome) => outcome instanceof Promise)) {
      void Promise.all(outcomes).then(answer);
    } else {
      answer(outcomes as Outcome[]);
    }
  }

  /** Runs one request. Never throws or rejects. */
  #request(message: unknown): Outcome | Promise<Outcome> {
    const fault = requestFault(message);
    if (fault !== null) return errorReply(idOf(message), invalidRequest(fault));
    const { id, method: name, params = {} } = message as {
      id?: Id;
      method: string;
      params?: unknown;
    };
    const finish = (result: unknown): Outcome => {
      if (id === undefined) {
        if (result instanceof AtReply) result.make();
        return null;
      }
      if (result instanceof AtReply) {
        return () => this.#reply(id, method, () => result.make());
      }
      return this.#reply(id, method, () => result);
    };
    const fail = (error: unknown): Outcome => {
      const told = toRpcError(error);
      return id === undefined ? null : errorReply(id, told);
    };
    const method = this.#options.methods.get(name) as Method;
    try {
      if (!this.#rate.take(performance.now())) throw limitExceeded("requestsPerSecond");
      if (method === undefined) {
        const told = {
          code: RPC_CODE.methodNotFound,
          message: `Method not found: ${name.slice(0, 200)}`,
        };
        return id === undefined ? null : errorReply(id, told);
      }
      if (this.#pending >= SERVER_LIMITS.pendingRequests) throw limitExceeded("pendingRequests");
      const outcome = method.ordered ? this.#runInLane(method, params) : this.#run(method, params);
      if (!(outcome instanceof Promise)) return finish(outcome);
      this.#pending++;
      return outcome.then(finish, fail).finally(() => void this.#pending--);
    } catch (error) {
      return fail(error);
    }
  }

  #run(method: Method, params: unknown): unknown {
    const named = checkNamed(params);
    const checking = method.checkInTurns?.(named) ?? null;
    if (checking !== null) {
      return checking.then((parsed) => method.run(parsed, this.#options.context));
    }
    return method.run(parseParams(method.params, named), this.#options.context);
  }

  /** At once if the lane is free, else behind what is in it. */
  #runInLane(method: Method, params: unknown): unknown {
    const outcome = this.#lane === null
      ? this.#run(method, params)
      : this.#lane.then(() => this.#run(method, params));
    if (!(outcome instanceof Promise)) return outcome;
    const done = outcome.catch(() => {}).then(() => {
      if (this.#lane === done) this.#lane = null;
    });
    this.#lane = done;
    return outcome;
  }

  #reply(id: Id, method: Method, make: () => unknown): Written {
    try {
      const result = make() ?? {};
      if (this.#options.checkResults) {
        const parsed = method.result.safeParse(result);
        if (!parsed.success) {
          throw new Error(
            `The result of ${method.name} is not what its schema says: ${parsed.error}`,
          );
        }
      }
      const reply = { jsonrpc: "2.0", id, result };
      return isLarge(result) ? jsonInSlices(reply) : JSON.stringify(reply);
    } catch (error) {
      return errorReply(id, toRpcError(error));
    }
  }

  #answer(outcome: Outcome): void {
    if (outcome === null) return;
    const reply = typeof outcome === "function" ? outcome() : outcome;
    const { sendLate } = this.#options;
    if (typeof reply === "string" || sendLate === undefined) this.#send(textOf(reply));
    else if (!this.#isClosed) sendLate(reply);
  }

  #send(reply: string): void {
    if (!this.#isClosed) this.#options.send(reply);
  }
}

/** The text of a reply, at once. */
function textOf(reply: Written): string {
  return typeof reply === "string" ? reply : atOnce(reply);
}

/** What makes a message no request, `null` if nothing. */
function requestFault(message: unknown): string | null {
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    return "a request must be an object";
  }
  const { jsonrpc, id, method } = message as Record<string, unknown>;
  if (jsonrpc !== "2.0") return 'jsonrpc must be "2.0"';
  if (id !== undefined && id !== null && typeof id !== "string" && typeof id !== "number") {
    return "id must be a string, a number or null";
  }
  if (typeof method !== "string") return "method must be a string";
  return null;
}

function isNotification(message: unknown): boolean {
  return requestFault(message) === null && (message as { id?: unknown }).id === undefined;
}

/** The id to answer something that may be no request. */
function idOf(message: unknown): Id {
  const id = typeof message === "object" && message !== null
    ? (message as { id?: unknown }).id
    : null;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

function checkNamed(params: unknown): unknown {
  if (Array.isArray(params)) {
    throw new InvalidParams([], "params are given by name, not by position");
  }
  return params;
}

function invalidRequest(reason: string): RpcError {
  return { code: RPC_CODE.invalidRequest, message: `Invalid request: ${reason}` };
}

function errorReply(id: Id, error: RpcError): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error });
}

/**
 * What a method is: schemas, lane and handler side by side, so that checking, dispatch and `/openrpc.json` come from one place.
 *
 * @module
 */
import type { z } from "zod";
import type { Caller, EngineApi, Topic } from "../../engine/api.ts";
import type { ErrorCode } from "../../engine/errors.ts";

/** How the ids of callers begin that are no connections. */
export const SERVER_CALLERS = "server:";

/** The connection, as methods see it. */
export interface Client extends Caller {
  /** Made anew for each connection; `engine.hello` may take up an earlier one's. */
  clientId: string;
  /** What lets this connection's `<img>` and `<audio>` in. */
  readonly ticket: string;
  readonly topics: Set<Topic>;
  /** Previews that it follows, by `previewId`; the function ends one. */
  readonly followed: Map<number, () => void>;
  /** Streams that it has started, by `handleId`: they end with the connection. */
  readonly streams: Set<string>;
  /** Windows that it has asked for, by `windowId`: likewise. */
  readonly windows: Set<string>;
  /** The connection is over: what is made for it from now on must be ended at once. */
  readonly ended: boolean;
  /** Queues a binary frame; of those that wait under one `key` the newest is kept. */
  sendBinary(frame: Uint8Array<ArrayBuffer>, key?: string): void;
  /** Queues a notification for this client alone, where nothing newer of its kind is kept instead. */
  notify(method: string, params: unknown): void;
  /** Ends the connection once the reply under way is sent. */
  closeAfterReply(code: number, reason: string): void;
}

/** What a handler works with. */
export interface Context {
  readonly engine: EngineApi;
  readonly client: Client;
}

/** A result that is made when the reply takes its place in the queue: what is said of "now" is true there, also in a batch. */
export class AtReply<T> {
  constructor(readonly make: () => T) {}
}

type MaybePromise<T> = T | Promise<T>;

/** A method of `/pulse`. */
export interface Method<
  Params extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
  Name extends string = string,
> {
  readonly name: Name;
  readonly summary: string;
  /** By name; an object schema. */
  readonly params: Params;
  readonly result: Result;
  /** Checks params that are large in turns; `null` for those that are not. Gives what `params` would. */
  checkInTurns?(params: unknown): Promise<z.output<Params>> | null;
  /** Takes effect in the order sent, with the others that say so. */
  readonly ordered?: true;
  /** Codes of its own errors, beside `limit.exceeded`. */
  readonly errors?: readonly ErrorCode[];
  run(
    params: z.output<Params>,
    context: Context,
  ): MaybePromise<z.input<Result> | AtReply<z.input<Result>>>;
}

/** Declares a method; the types of its handler follow from its schemas, and the typed client's from the name as well. */
export function method<
  Params extends z.ZodType,
  Result extends z.ZodType,
  const Name extends string,
>(
  declared: Method<Params, Result, Name>,
): Method<Params, Result, Name> {
  return declared;
}

/**
 * The interface as types: every method and notification of `/pulse` by name. Types alone: nothing here exists at run time, and no browser ever
 * loads it.
 *
 * @module
 */
import type { ErrorCode, Methods, Notifications } from "./schema.ts";

export type * from "./schema.ts";

/** The name of a method, such as `timeline.edit`. */
export type MethodName = keyof Methods;

/** What a method takes, by name. */
export type Params<M extends MethodName> = Methods[M]["params"];

/** What a method answers; of `asset.register` by whether one path was asked for or several. */
export type Result<M extends MethodName, P = Params<M>> = M extends "asset.register"
  ? P extends { path: string } ? Extract<Methods[M]["result"], { asset: unknown }>
  : P extends { paths: unknown } ? Extract<Methods[M]["result"], { results: unknown }>
  : Methods[M]["result"]
  : Methods[M]["result"];

/** Methods whose params may all be left out. */
export type Optional = {
  // deno-lint-ignore ban-types
  [M in MethodName]: {} extends Params<M> ? M : never;
}[MethodName];

/** Asks for a method by its name. */
export interface Call {
  /** One file. */
  (
    method: "asset.register",
    params: Params<"asset.register"> & { path: string; paths?: undefined },
  ): Promise<Result<"asset.register", { path: string }>>;
  /** Several files, each with its own outcome. */
  (
    method: "asset.register",
    params: Params<"asset.register"> & { path?: undefined; paths: string[] },
  ): Promise<Result<"asset.register", { paths: string[] }>>;
  /** A method that can do without params. */
  <M extends Optional>(method: M): Promise<Result<M>>;
  <M extends Exclude<MethodName, "asset.register">>(
    method: M,
    params: Params<M>,
  ): Promise<Result<M>>;
}

/** The name of a notification, such as `timeline.changed`. */
export type NotificationName = keyof Notifications;

/** What may be subscribed to. */
export type Topic = Params<"engine.subscribe">["topics"][number];

/** What `engine.hello` answers. */
export type Hello = Result<"engine.hello">;

/** What `engine.subscribe` answers, topic by topic. */
export type TopicStates = Result<"engine.subscribe">["state"];

/**
 * Codes of errors: the engine's own (API.md, "Errors"), JSON-RPC's as `rpc-32602`, `disconnected` where no answer came. An engine newer than
 * this client may know more.
 */
export type Code =
  | ErrorCode
  | "rpc-32700"
  | "rpc-32600"
  | "rpc-32601"
  | "rpc-32602"
  | "rpc-32603"
  // deno-lint-ignore ban-types
  | (string & {});

/**
 * `waiting`: between two attempts. `refused`: the engine will not have us, `reason` (`token`, `protocol`, `origin`) says why; nothing is tried
 * until `connect()`.
 */
export type ConnectionState =
  | { state: "connecting" | "open" | "closed" }
  | { state: "waiting"; retryInMs: number }
  | { state: "refused"; reason: string };

/** What a connection begins with. */
export interface Sync {
  hello: Hello;
  /** Another instance of the engine (or the first): handles, windows and jobs of before are gone. */
  fresh: boolean;
  topics: TopicStates;
}

/** Levels since the last frame: linear, post-fader; one a channel. */
export interface ChannelLevels {
  peak: number[];
  rms: number[];
}

/** Meters, 30 a second. */
export interface MetersFrame {
  kind: "meters";
  sequence: number;
  audibleFrame: number;
  timeMs: number;
  /** Whose order the tracks are in. */
  revision: number;
  master: ChannelLevels;
  tracks: ChannelLevels[];
}

/** Peaks that `asset.previewPeaks` asked for; a plane a channel, NaN where not analysed yet. */
export interface PeaksFrame {
  kind: "peaks";
  previewId: number;
  /** In the asset's samples. */
  start: number;
  end: number;
  /** Columns. */
  width: number;
  complete: boolean;
  min: Float32Array[];
  max: Float32Array[];
  rms: Float32Array[];
}

/** What a client tells: notifications under their names, binary frames as `meters` and `peaks`, and its own state. */
export type ClientEvents = Notifications & {
  connection: ConnectionState;
  sync: Sync;
  meters: MetersFrame;
  peaks: PeaksFrame;
  /** Something came that could not be understood. The connection goes on. */
  fault: Error;
};

/** How to connect. */
export interface ClientOptions {
  /** Of the engine, such as `http://127.0.0.1:4747`. */
  url: string;
  /** What to hear of. */
  topics: Topic[];
  /** What the engine's log calls us. */
  name?: string;
  /** If the engine was started with one. */
  token?: string | null;
  /** Where the runtime has none, as Node.js before 22. */
  WebSocket?: SocketMaker;
  /** Pauses before the first, second … attempt after a break, in milliseconds; the last one stays. */
  retryMs?: readonly number[];
}

/** How `connect` is done. */
export interface ConnectOptions extends Partial<Omit<ClientOptions, "url">> {
  /** Ends the waiting for an engine that is not there. */
  signal?: AbortSignal;
}

/** A round trip: the engine's clock was read somewhere between. In milliseconds, `sentMs` and `receivedMs` on our clock. */
export interface RoundTrip {
  sentMs: number;
  receivedMs: number;
  timeMs: number;
}

/** What a client needs of a WebSocket. */
export interface Socket {
  binaryType: string;
  /** 1 while something can be sent; a socket that does not tell takes everything. */
  readonly readyState?: number;
  // deno-lint-ignore no-explicit-any
  onopen: ((event: any) => void) | null;
  // deno-lint-ignore no-explicit-any
  onmessage: ((event: any) => void) | null;
  // deno-lint-ignore no-explicit-any
  onclose: ((event: any) => void) | null;
  // deno-lint-ignore no-explicit-any
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** A WebSocket's constructor: the runtime's own, or that of a package. */
export type SocketMaker = new (url: string, protocols: string[]) => Socket;

/**
 * A client of the engine for browsers, Deno and Node.js, without dependencies. A running engine serves it at `/client/mod.js`.
 *
 * It connects again by itself, keeps a mirror of the timeline and knows where the sound is at any instant. Methods, params, results and
 * notifications are typed by name.
 *
 * @example Play, and cut while it plays
 * ```ts no-eval
 * import { connect } from "./mod.js";
 *
 * const { client, view } = await connect("http://127.0.0.1:4747");
 * const [track] = view.timeline.tracks;
 * await client.call("transport.play", { fromFrame: 0 });
 * await client.call("timeline.edit", {
 *   edits: [{ op: "segment.delete", clipId: track.clips.all()[0].clipId }],
 *   requestId: crypto.randomUUID(), // Outlives a break: it is asked again and takes effect once.
 * });
 * console.log(view.playhead.at(performance.now()));
 * await client.close();
 * ```
 *
 * @module
 */
import type {
  Call,
  ChangedClip,
  Changes,
  ClientEvents,
  ClientOptions,
  Code,
  ConnectOptions,
  Hello,
  Marker,
  MetersFrame,
  Notifications,
  PeaksFrame,
  RoundTrip,
  Timeline,
  Topic,
  TrackHeader,
  Transport,
} from "./interface.ts";

export type * from "./interface.ts";

/**
 * Connects to an engine and keeps its timeline and playhead. Waits for an engine that is not there yet, and mends the connection from then on.
 *
 * @param url Of the engine, such as `http://127.0.0.1:4747`.
 * @param options `topics` are `timeline` and `transport`, unless others are given.
 * @returns once the timeline is there.
 * @throws {ConnectionRefused} where the engine will not have us.
 * @throws {Disconnected} when `options.signal` ends the waiting.
 * @throws {TypeError} where there is no WebSocket.
 */
export declare function connect(
  url: string,
  options?: ConnectOptions,
): Promise<{ client: PulseClient; view: EngineView }>;

/** Named listeners. A listener that throws is reported and does not keep the others from hearing. */
export declare class Emitter<Events> {
  /** @returns what stops the listening. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void;
  /** @returns whether anyone heard it. */
  emit<Name extends keyof Events>(name: Name, value: Events[Name]): boolean;
}

/**
 * A connection to the engine that mends itself: connects, says hello, subscribes, and after a break does so again as the same client, from
 * the last revision heard of. Notifications are emitted under their names, binary frames as `meters` and `peaks`.
 */
export declare class PulseClient extends Emitter<ClientEvents> {
  /** @throws {TypeError} where there is no WebSocket. */
  constructor(options: ClientOptions);
  readonly url: string;
  topics: Topic[];
  readonly name: string;
  /** Sent with the next connection. */
  token: string | null;
  /** The engine that we last spoke to. */
  hello: Hello | null;
  /** The last timeline revision taken in, for resync; −1: the whole timeline is asked for. Kept by who mirrors it. */
  revision: number;
  /** Requests are answered: hello and subscription are through. */
  get isOpen(): boolean;
  /** Begins to try. What comes of it is told as `connection`. */
  connect(): void;
  /** Says goodbye and tries no more; requests that wait are rejected. Resolves when the connection has ended. */
  close(): Promise<void>;
  /** Ends a connection that seems dead, so that a new one is tried. */
  reconnect(): void;
  /** Tells that something came that could not be understood; on the console where nobody listens to `fault`. */
  fault(error: Error): void;
  /** Asks for the state of all topics again, over the same connection; it comes as `sync`. */
  resync(project?: Hello["project"]): Promise<void>;
  /**
   * Asks the engine; method, params and result are typed as the interface has them.
   *
   * A `timeline.edit` or `timeline.set` with a `requestId` outlives a break: it is asked again on the next connection, and takes effect once.
   * Everything else that waits when a connection ends is rejected: with {@linkcode Disconnected}; whatever the engine refuses, with
   * {@linkcode RpcError}.
   */
  call: Call;
  /** Asks for a method by any name, such as one of an engine that is newer than this client. */
  // deno-lint-ignore no-explicit-any
  request(method: string, params?: Record<string, unknown>): Promise<any>;
}

/**
 * What a user interface shows of the engine, kept current through edits of anyone, breaks, restarts and other projects. Wants the topics
 * `timeline` and `transport`. Tells `timeline` when it is another one, `transport` when it was set, by anyone.
 */
export declare class EngineView extends Emitter<{ timeline: void; transport: Transport }> {
  /** @param now Our clock, in milliseconds; `performance.now` if left out. */
  constructor(client: PulseClient, now?: () => number);
  readonly client: PulseClient;
  readonly timeline: TimelineMirror;
  readonly playhead: Playhead;
  /** `null` until the first connection. */
  transport: Transport | null;
  /** The frame that is heard now, or where playing would begin; with a fraction. */
  get frame(): number;
}

/** A copy of the engine's timeline, kept by `changes`. It is never edited here: what it shows is what the engine has. */
export declare class TimelineMirror {
  revision: number;
  sampleRate: number;
  frameRate: NonNullable<Timeline["frameRate"]> | null;
  ioPoints: NonNullable<Timeline["ioPoints"]> | null;
  markers: Marker[];
  /** The timeline's own, `undefined` without. */
  meta: unknown;
  /** In the timeline's order. */
  get tracks(): readonly { header: TrackHeader; clips: TrackClips }[];
  get clipCount(): number;
  /** End of the last clip, in frames. */
  get endFrame(): number;
  clip(clipId: string): ChangedClip | undefined;
  track(trackId: string): { header: TrackHeader; clips: TrackClips } | undefined;
  clips(): Iterable<ChangedClip>;
  /** Ids of the clips of a group. */
  group(groupId: string): ReadonlySet<string>;
  /**
   * Where clips have come, gone, moved or changed since this was last asked, in frames by track; `null`: anywhere. For whoever draws them.
   */
  takeTouched(): Map<string, { from: number; to: number }> | null;
  /** All of it as the engine would answer it: a copy, as far as clips. */
  toTimeline(): Timeline;
  reset(timeline: Timeline, revision: number): void;
  /** Applies what changed; `revision` is what it leads to. */
  apply(changes: Changes, revision: number): void;
}

/** The clips of one track in the order of their starts. */
export declare class TrackClips {
  get size(): number;
  /** End of the last clip to end, in frames; 0 without clips. */
  get endFrame(): number;
  all(): readonly ChangedClip[];
  /** Clips that touch `[startFrame, endFrame)`, in order. */
  range(startFrame: number, endFrame: number): Iterable<ChangedClip>;
}

/**
 * Where the sound is at any instant of our clock, from reports that come 30 times a second. Between them it runs at the transport's
 * rate and follows loop wraps; the small disagreements of successive reports fade instead of showing as jitter.
 */
export declare class Playhead {
  /** Whether `at` gives another value a moment later. */
  get moving(): boolean;
  /** @returns frame on the timeline, with a fraction, at `nowMs` of our clock, such as `performance.now()`. */
  at(nowMs: number): number;
  /** Of the project, in Hz. */
  setSampleRate(sampleRate: number): void;
  /** Engine time minus our time, in milliseconds. */
  setClockOffset(offsetMs: number): void;
  /** A discontinuity: play, pause, seek, loop, edit. */
  setTransport(transport: Transport): void;
  report(report: Notifications["transport.position"], nowMs: number): void;
  /** The timeline is now `revision`; reports still speak of the one before for a moment. */
  awaitRevision(revision: number, nowMs: number): void;
  /** An edit's reply said where the head stands in the new timeline. */
  move(playheadFrame: number, nowMs: number): void;
}

/** How far the engine's clock stands from ours: the surest of the latest round trips counts. */
export declare class ClockEstimate {
  /** @returns engine time minus our time, in milliseconds. */
  add(roundTrip: RoundTrip): number;
  /** Forgets everything: it is another engine's clock. */
  reset(): void;
}

/** Asks the engine for its clock, often at first, then every 4 s. {@linkcode EngineView} has one. */
export declare class ClockSync {
  /** @param report Is told engine time minus our time, in milliseconds. */
  constructor(client: PulseClient, now: () => number, report: (offsetMs: number) => void);
}

/**
 * Decodes a binary frame; planes of peaks are views of `data`.
 *
 * @returns `null` for a kind or version that this client does not know.
 * @throws {FrameError} if it is not as long as it says.
 */
export declare function decodeFrame(
  data: ArrayBuffer | ArrayBufferView,
): MetersFrame | PeaksFrame | null;

/** The engine refused a request. */
export declare class RpcError extends Error {
  constructor(
    method: string,
    error: { code: number; message: string; data?: { code?: string; details?: unknown } },
  );
  method: string;
  /** The number of JSON-RPC, such as −32602. */
  rpcCode: number;
  /** The engine's own word, such as `timeline.conflict`, where it gave one; else `rpc` and the number. */
  code: Code;
  /** What goes with the code, such as `{ path, reason }` of params that are wrong. */
  details: unknown;
}

/** There was no connection, or it ended before the answer came. */
export declare class Disconnected extends Error {
  constructor(method: string, wasSent?: boolean);
  method: string;
  code: string;
  /** Whether the request was on its way, so that it may have taken effect. */
  wasSent: boolean;
}

/** The engine will not have this client: trying again would not help. */
export declare class ConnectionRefused extends Error {
  constructor(reason: string);
  /** `token`, `protocol` or `origin`. */
  reason: string;
  code: string;
}

/** A binary frame is not what it should be. */
export declare class FrameError extends Error {}

/**
 * The server's own limits. Each refusal names the one that it met; `engine.hello` tells them to clients.
 *
 * @module
 */

/** Limits of one server; the names are those that refusals and `engine.hello` use. */
export const SERVER_LIMITS = {
  /** One WebSocket message, in bytes; a greater one closes the connection with 1009. Holds a timeline of 100,000 clips. */
  messageBytes: 32 * 1024 * 1024,
  /** Arrays and objects within each other in one message. */
  messageDepth: 64,
  /** Requests in one batch. */
  batchRequests: 1_000,
  /** Replies of one batch together, in characters: requests behind it are refused before they run. */
  batchReplyBytes: 16 * 1024 * 1024,
  /** Requests of one connection that have begun and have no answer yet. */
  pendingRequests: 1_024,
  /** Requests that one connection may make a second, for long… */
  requestsPerSecond: 20_000,
  /** … and at once. */
  requestBurst: 40_000,
  /** What may wait for a client that does not read, in bytes; more closes the connection with 4008. */
  waitingBytes: 16 * 1024 * 1024,
  /** TCP connections, WebSockets among them. */
  lines: 512,
  /** WebSocket connections. */
  connections: 64,
  /** Files being sent at the same time. */
  fileStreams: 64,
  /** `asset.register { paths }`. */
  registerPaths: 1_000,
  /** `files` of an import. */
  exchangeFiles: 10_000,
  /** `asset.previewPeaks { previews }`. */
  previews: 64,
  /** Previews that one connection follows. */
  followedPreviews: 256,
  /** Columns of one peaks answer. */
  peaksWidth: 8_192,
} as const;

/** The name of a limit, as `details.limit` of a refusal gives it. */
export type LimitName = keyof typeof SERVER_LIMITS;

/** Time between two pings of the engine, in milliseconds. */
export const PING_EVERY_MS = 10_000;
/** A connection from which nothing came for so many of them, pongs included, is given up. */
export const SILENT_AFTER_PINGS = 6;

/** Why a connection ends (API.md, "Life of a connection"). */
export const CLOSE = {
  normal: 1000,
  stopping: 1001,
  protocolError: 1002,
  invalidText: 1007,
  tooLarge: 1009,
  internal: 1011,
  token: 4001,
  protocol: 4002,
  origin: 4003,
  tooSlow: 4008,
} as const;

/**
 * The engine's own errors: a closed list of codes that clients may rely on.
 *
 * @module
 */

/** Codes of `error.data.code` (API.md, "Errors"). */
export const ERROR_CODES = [
  "asset.notFound",
  "asset.outsideLibrary",
  "asset.unsupported",
  "asset.unreadable",
  "asset.damaged",
  "asset.inUse",
  "timeline.conflict",
  "timeline.notFound",
  "timeline.nothingToUndo",
  "project.notFound",
  "job.notFound",
  "handle.notFound",
  "cache.budget",
  "device.unavailable",
  "export.exists",
  "export.outside",
  "export.diskFull",
  "limit.exceeded",
  "protocol.version",
] as const;

/** One of {@linkcode ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/**
 * An error that a client can act on. The message gives action, reason and value; `details` holds the same as data.
 */
export class EngineError extends Error {
  override name = "EngineError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/**
 * A request whose parameters are wrong in themselves (JSON-RPC −32602): `path` names the field, `reason` the value and why.
 */
export class InvalidParams extends Error {
  override name = "InvalidParams";
  constructor(readonly path: readonly (string | number)[], readonly reason: string) {
    super(`Invalid params: ${[path.join("."), reason].filter((part) => part !== "").join(": ")}`);
  }
}

/**
 * What a request is answered with when it fails (JSON-RPC 2.0, "Error object", and API.md, "Errors").
 *
 * @module
 */
import { EngineError, InvalidParams } from "../../engine/errors.ts";
import { type LimitName, SERVER_LIMITS } from "../limits.ts";

/** JSON-RPC's own codes and the engine's. */
export const RPC_CODE = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  engine: -32000,
} as const;

/** An error object. */
export interface RpcError {
  code: number;
  message: string;
  data?: { code?: string; details: Readonly<Record<string, unknown>> };
}

/** The refusal of what meets one of the server's limits. */
export function limitExceeded(limit: LimitName, actual?: number): EngineError {
  const max = SERVER_LIMITS[limit];
  const got = actual === undefined ? "" : ` (got ${actual})`;
  return new EngineError("limit.exceeded", `The limit ${limit} is ${max}${got}`, {
    limit,
    max,
    ...(actual === undefined ? {} : { actual }),
  });
}

/** What a client hears of something thrown. What is not meant for clients is logged, and told as an internal error alone. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof InvalidParams) {
    return {
      code: RPC_CODE.invalidParams,
      message: error.message,
      data: { details: { path: error.path, reason: error.reason } },
    };
  }
  if (error instanceof EngineError) {
    return {
      code: RPC_CODE.engine,
      message: error.message,
      data: { code: error.code, details: error.details },
    };
  }
  console.error("A request failed unexpectedly:", error);
  return { code: RPC_CODE.internalError, message: "Internal error" };
}

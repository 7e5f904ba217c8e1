// @ts-check
/** @import { Code } from "./interface.ts" */

/** The engine refused a request: its JSON-RPC error as an exception. */
export class RpcError extends Error {
  /** @override */
  name = "RpcError";

  /**
   * @param {string} method what was asked
   * @param {{ code: number, message: string, data?: { code?: string, details?: unknown } }} error
   */
  constructor(method, error) {
    super(error.message);
    this.method = method;
    /** The number of JSON-RPC, such as −32602. */
    this.rpcCode = error.code;
    /** @type {Code} the engine's own word, such as `timeline.conflict`, where it gave one; else `rpc` and the number */
    this.code = error.data?.code ?? `rpc${error.code}`;
    /** What goes with the code, such as `{ path, reason }` of params that are wrong. */
    this.details = error.data?.details;
  }
}

/** There was no connection, or it ended before the answer came. */
export class Disconnected extends Error {
  /** @override */
  name = "Disconnected";

  /**
   * @param {string} method what was asked
   * @param {boolean} [wasSent]
   */
  constructor(method, wasSent = false) {
    super(
      wasSent
        ? `The connection ended before ${method} was answered: whether it took effect is not known`
        : `Cannot ask for ${method}: not connected to the engine`,
    );
    this.method = method;
    this.code = "disconnected";
    /** Whether the request was on its way, so that it may have taken effect. */
    this.wasSent = wasSent;
  }
}

/** The engine will not have this client; trying again would not help. */
export class ConnectionRefused extends Error {
  /** @override */
  name = "ConnectionRefused";

  /** @param {string} reason `token`, `protocol` or `origin` */
  constructor(reason) {
    super(`Cannot connect to the engine: ${REASONS.get(reason) ?? reason}`);
    this.reason = reason;
    this.code = "refused";
  }
}

const REASONS = new Map([
  ["token", "the token is missing or wrong"],
  ["protocol", "it speaks another version of the protocol"],
  ["origin", "it does not let in pages of this origin (start it with --origin)"],
]);

/** A binary frame is not what it should be. */
export class FrameError extends Error {
  /** @override */
  name = "FrameError";
}

// @ts-check

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
    /** The engine's own word, such as `timeline.conflict`, where it gave one. */
    this.code = error.data?.code ?? `rpc${error.code}`;
    this.details = error.data?.details;
  }
}

/** There was no connection, or it ended before the answer came. Whether the request took effect is not known. */
export class Disconnected extends Error {
  /** @override */
  name = "Disconnected";

  /** @param {string} method what was asked */
  constructor(method) {
    super(`Cannot ask for ${method}: not connected to the engine`);
    this.method = method;
    this.code = "disconnected";
  }
}

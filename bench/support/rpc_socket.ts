/**
 * A JSON-RPC client over the runtime's own WebSocket, which costs as little as it can.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any
type Result = any;

export class RpcSocket implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, PromiseWithResolvers<Result>>();
  readonly #closed: Promise<void>;
  #lastId = 0;
  /** Told of each notification: its method and characters. */
  onNotification?: (method: string, length: number) => void;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#closed = new Promise((resolve) => {
      socket.onclose = () => {
        for (const { reject } of this.#pending.values()) reject(new Error("The line has ended"));
        resolve();
      };
    });
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") return;
      const { id, method, result, error } = JSON.parse(data);
      if (id === undefined) this.onNotification?.(method, data.length);
      const pending = this.#pending.get(id); // none: a notification
      this.#pending.delete(id);
      if (error) pending?.reject(new Error(JSON.stringify(error)));
      else pending?.resolve(result);
    };
  }

  /** Connects to `/pulse` of a server at `url`. */
  static async connect(url: string): Promise<RpcSocket> {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}/pulse`);
    const client = new RpcSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`Cannot connect to ${url}`));
    });
    return client;
  }

  /** Sends a request and waits for its result. */
  call(method: string, params: unknown = {}): Promise<Result> {
    const id = ++this.#lastId;
    const pending = Promise.withResolvers<Result>();
    this.#pending.set(id, pending);
    this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return pending.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#closed;
  }
}

// @ts-check
import { ownWebSocket, socketUrl } from "./address.js";
import { decodeFrame } from "./binary.js";
import { Emitter } from "./emitter.js";
import { Disconnected, RpcError } from "./errors.js";
import { askStatus } from "./probe.js";
import { subprotocols } from "./token.js";

/** @import { Call, ClientEvents, ClientOptions, Hello, Socket, SocketMaker, TopicStates } from "./interface.ts" */

const RETRY_MS = [250, 500, 1000, 2000, 4000];
/** `WebSocket.OPEN`. */
const OPEN = 1;
/** Close codes after which trying again cannot help. */
const REFUSALS = new Map([[4001, "token"], [4002, "protocol"], [4003, "origin"]]);
const TOO_LARGE = 1009;
/** How long a goodbye may take before a connection is given up, in milliseconds. */
const GOODBYE_MS = 2000;
/** Methods that a `requestId` makes safe to ask twice. */
const REPEATABLE = new Set(["timeline.edit", "timeline.set"]);

/** @typedef {import("./interface.ts").ConnectionState} ConnectionState */
/** @typedef {import("./interface.ts").Sync} Sync */

/**
 * A request that waits for its answer.
 * @typedef {object} Pending
 * @property {string} method
 * @property {Record<string, unknown>} params
 * @property {(value: any) => void} resolve
 * @property {(error: Error) => void} reject
 */

/**
 * A connection to the engine that mends itself: connects, says hello, subscribes, and after a break does so again as the same client, from the
 * last revision heard of. Needs a WebSocket and nothing else: no DOM, no dependency.
 *
 * @extends {Emitter<ClientEvents>}
 */
export class PulseClient extends Emitter {
  /** @type {Socket | null} */
  #socket = null;
  /** @type {Map<number, Pending>} */
  #pending = new Map();
  /** @type {{ projectId: string, request: Pending }[]} asked before the connection broke, and safe to ask again */
  #unanswered = [];
  #nextId = 1;
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {AbortController | null} ends the question why a connection failed */
  #probing = null;
  #wanted = false;
  #ready = false;
  /** @type {SocketMaker} */
  #WebSocket;
  #retryMs;

  /** @type {Hello | null} the engine that we last spoke to */
  hello = null;
  /** The last timeline revision taken in, for resync; −1: the whole timeline is asked for. Kept by who mirrors it. */
  revision = -1;

  /**
   * @param {ClientOptions} options
   * @throws {TypeError} where there is no WebSocket
   */
  constructor({ url, topics, name = "client", token = null, WebSocket, retryMs = RETRY_MS }) {
    super();
    this.url = socketUrl(url);
    this.topics = topics;
    this.name = name;
    this.token = token;
    this.#WebSocket = WebSocket ?? ownWebSocket();
    this.#retryMs = retryMs;
  }

  /** Requests are answered: hello and subscription are through. */
  get isOpen() {
    return this.#ready;
  }

  connect() {
    this.#wanted = true;
    clearTimeout(this.#retry);
    if (this.#socket === null) this.#open();
  }

  /** Says goodbye, and tries no more. Requests that wait are rejected. @returns {Promise<void>} when the connection has ended */
  async close() {
    const wasWanted = this.#wanted;
    this.#wanted = false;
    clearTimeout(this.#retry);
    this.#probing?.abort();
    const socket = this.#socket;
    if (socket === null) {
      this.#giveUp();
      if (wasWanted) this.emit("connection", { state: "closed" });
      return;
    }
    await new Promise((resolve) => {
      const late = setTimeout(() => this.#lost(socket, 1006), GOODBYE_MS);
      const stop = this.on("connection", () => {
        clearTimeout(late);
        stop();
        resolve(undefined);
      });
      socket.close(1000);
    });
  }

  /** Ends a connection that seems dead, so that a new one is tried. */
  reconnect() {
    const socket = this.#socket;
    if (socket === null) return;
    socket.close();
    // A dead peer never completes the closing handshake: do not wait for it.
    this.#lost(socket, 1006);
  }

  /**
   * Asks for everything again over the same connection: another project is open.
   *
   * @param {Hello["project"]} [project]
   */
  async resync(project) {
    const socket = this.#socket;
    if (socket === null || this.hello === null || !this.#ready) return;
    if (project !== undefined) this.hello = { ...this.hello, project };
    this.revision = -1;
    try {
      await this.#subscribe(socket, this.hello, false);
    } catch {
      // The connection ended: the next one begins with a sync.
    }
  }

  /**
   * Asks the engine; method, params and result are typed as the interface has them.
   *
   * A `timeline.edit` or `timeline.set` with a `requestId` outlives a break: it is asked again on the next connection, and takes effect once.
   * Everything else that waits when a connection ends is rejected: with `Disconnected`, whatever the engine refuses with `RpcError`.
   *
   * @type {Call}
   */
  call = (/** @type {string} */ method, params = {}) => this.request(method, params);

  /**
   * Asks for a method by any name, such as one of an engine that is newer than this client.
   *
   * @param {string} method
   * @param {Record<string, unknown>} [params]
   * @returns {Promise<any>} the result; rejects with `RpcError` or `Disconnected`
   */
  request(method, params = {}) {
    const socket = this.#socket;
    if (socket === null || !this.#ready) return Promise.reject(new Disconnected(method));
    return this.#ask(socket, method, params);
  }

  /**
   * @param {Socket} socket
   * @param {string} method
   * @param {Record<string, unknown>} params
   * @returns {Promise<any>}
   */
  #ask(socket, method, params) {
    return new Promise((resolve, reject) => {
      this.#send(socket, { method, params, resolve, reject });
    });
  }

  /**
   * @param {Socket} socket
   * @param {Pending} request
   */
  #send(socket, request) {
    const id = this.#nextId++;
    const { method, params } = request;
    const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    const bytes = this.#bytesOver(text);
    if (bytes > 0) {
      request.reject(tooLarge(method, bytes, this.hello?.limits.messageBytes ?? 0));
      return;
    }
    this.#pending.set(id, request);
    // On a line that is closing it would be lost, and browsers complain: its end says what becomes of what waits.
    if ((socket.readyState ?? OPEN) === OPEN) socket.send(text);
  }

  /**
   * The length of a message that is longer than the engine takes, 0 for any other: it would end the connection.
   *
   * @param {string} text
   */
  #bytesOver(text) {
    const most = this.hello?.limits.messageBytes ?? Infinity;
    // A UTF-16 unit is at most three bytes.
    if (text.length * 3 <= most) return 0;
    const bytes = new TextEncoder().encode(text).length;
    return bytes > most ? bytes : 0;
  }

  #open() {
    this.emit("connection", { state: "connecting" });
    const socket = new this.#WebSocket(this.url, subprotocols(this.token));
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#greet(socket).catch((error) => {
        if (error instanceof RpcError && error.code === "protocol.version") {
          this.#refuse("protocol");
        } else if (!(error instanceof Disconnected)) {
          this.fault(error);
        }
        socket.close(1000);
      });
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#lost(socket, code);
    socket.onerror = (event) => event?.preventDefault?.(); // A close follows, and is what counts.
  }

  /** @param {Socket} socket */
  async #greet(socket) {
    const known = this.hello;
    /** @type {Hello} */
    const hello = await this.#ask(socket, "engine.hello", {
      client: this.name,
      protocol: 1,
      // Who comes back is known again by its request ids and merge keys.
      ...(known === null ? {} : { clientId: known.clientId }),
    });
    const fresh = known?.instanceId !== hello.instanceId;
    const isSame = !fresh && known?.project.projectId === hello.project.projectId;
    if (!isSame) this.revision = -1;
    await this.#subscribe(socket, hello, fresh);
  }

  /**
   * Asks again for what was on its way when the last connection broke. In another project it would be another edit.
   *
   * @param {Socket} socket
   * @param {Hello} hello
   */
  #repeat(socket, hello) {
    for (const { projectId, request } of this.#unanswered.splice(0)) {
      if (projectId === hello.project.projectId) this.#send(socket, request);
      else request.reject(new Disconnected(request.method, true));
    }
  }

  /**
   * Tells the state of all topics in the very moment in which it comes: what is said right after it goes on from there.
   *
   * @param {Socket} socket
   * @param {Hello} hello
   * @param {boolean} fresh
   * @returns {Promise<void>}
   */
  #subscribe(socket, hello, fresh) {
    const params = {
      topics: this.topics,
      ...(this.revision >= 0 ? { sinceRevision: this.revision } : {}),
    };
    return new Promise((done, reject) => {
      const resolve = (/** @type {{ state: TopicStates }} */ { state }) => {
        const isNew = !this.#ready;
        this.hello = hello;
        this.#attempt = 0;
        this.#ready = true;
        this.emit("sync", { hello, fresh, topics: state });
        if (isNew) {
          this.#repeat(socket, hello);
          this.emit("connection", { state: "open" });
        }
        done();
      };
      this.#send(socket, { method: "engine.subscribe", params, resolve, reject });
    });
  }

  /** @param {string | ArrayBuffer} data */
  #receive(data) {
    try {
      if (typeof data === "string") {
        const message = JSON.parse(data);
        for (const one of Array.isArray(message) ? message : [message]) this.#take(one);
        return;
      }
      const frame = decodeFrame(data);
      if (frame?.kind === "meters") this.emit("meters", frame);
      if (frame?.kind === "peaks") this.emit("peaks", frame);
    } catch (error) {
      this.fault(/** @type {Error} */ (error));
    }
  }

  /** @param {any} message a notification or a reply */
  #take(message) {
    if (typeof message !== "object" || message === null) {
      throw new TypeError(`Cannot take ${JSON.stringify(message)} for a message`);
    }
    const { id, method, params, result, error } = message;
    if (typeof method === "string") {
      this.emit(/** @type {keyof ClientEvents} */ (method), params);
      return;
    }
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if (error !== undefined) pending.reject(new RpcError(pending.method, error));
    else pending.resolve(result);
  }

  /**
   * Tells that something came that could not be understood.
   *
   * @param {Error} error
   */
  fault(error) {
    if (!this.emit("fault", error)) console.error(error);
  }

  /**
   * @param {Socket} socket
   * @param {number} code
   */
  #lost(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#ready = false;
    const projectId = this.hello?.project.projectId;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const request of pending) {
      const { method, params } = request;
      const isSafe = REPEATABLE.has(method) && params.requestId !== undefined;
      // What was too large once would be again.
      if (isSafe && projectId !== undefined && code !== TOO_LARGE) {
        this.#unanswered.push({ projectId, request });
      } else {
        request.reject(new Disconnected(method, true));
      }
    }
    const refusal = REFUSALS.get(code);
    if (refusal !== undefined) return this.#refuse(refusal);
    if (!this.#wanted) {
      this.#giveUp();
      this.emit("connection", { state: "closed" });
      return;
    }
    const retryInMs = this.#retryMs[Math.min(this.#attempt++, this.#retryMs.length - 1)];
    this.emit("connection", { state: "waiting", retryInMs });
    this.#retry = setTimeout(() => this.#tryAgain(), retryInMs);
  }

  /** A handshake refused over HTTP looks to a browser like any other failure, so a plain request asks for the reason. */
  async #tryAgain() {
    const probing = this.#probing = new AbortController();
    const status = await askStatus(this.url, this.token, probing);
    if (!this.#wanted || this.#socket !== null) return;
    if (status === 401) this.#refuse("token");
    else if (status === 403) this.#refuse("origin");
    else this.#open();
  }

  /** @param {string} reason */
  #refuse(reason) {
    this.#wanted = false;
    this.#giveUp();
    this.emit("connection", { state: "refused", reason });
  }

  /** No other connection will answer what waits. */
  #giveUp() {
    for (const { request } of this.#unanswered.splice(0)) {
      request.reject(new Disconnected(request.method, true));
    }
  }
}

/**
 * @param {string} method
 * @param {number} actual
 * @param {number} max
 */
function tooLarge(method, actual, max) {
  return new RpcError(method, {
    code: -32000,
    message: `The limit messageBytes is ${max} (got ${actual})`,
    data: { code: "limit.exceeded", details: { limit: "messageBytes", max, actual } },
  });
}

// @ts-check
import { decodeFrame } from "./binary.js";
import { Emitter } from "./emitter.js";
import { Disconnected, RpcError } from "./errors.js";
import { subprotocols } from "./token.js";

/** @import { Hello, Topic } from "./types.js" */
/** @import { MetersFrame, PeaksFrame } from "./binary.js" */

const RETRY_MS = [250, 500, 1000, 2000, 4000];
/** Close codes after which trying again cannot help. */
const REFUSALS = new Map([[4001, "token"], [4002, "protocol"], [4003, "origin"]]);

/**
 * `waiting`: between two attempts. `refused`: the engine will not have us, `reason` says why; nothing is tried until `connect()`.
 * @typedef {{ state: "connecting" | "open" | "closed" }
 *   | { state: "waiting", retryInMs: number }
 *   | { state: "refused", reason: string }} ConnectionState
 */

/**
 * `fresh`: another instance of the engine (or the first): handles, windows and jobs of before are gone.
 * @typedef {{ hello: Hello, fresh: boolean, topics: Record<string, any> }} Sync
 */

/**
 * Notifications are emitted under their method's name, binary frames as `meters` and `peaks`.
 * @typedef {{ connection: ConnectionState, sync: Sync, meters: MetersFrame, peaks: PeaksFrame } & Record<string, any>} ClientEvents
 */

/**
 * A connection to the engine that mends itself: connects, says hello, subscribes, and after a break does so again from the last
 * revision heard of. Needs a WebSocket and nothing else: no DOM, no dependency.
 *
 * @extends {Emitter<ClientEvents>}
 */
export class PulseClient extends Emitter {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Map<number, { method: string, resolve: (value: any) => void, reject: (error: Error) => void }>} */
  #pending = new Map();
  #nextId = 1;
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  #wanted = false;
  #ready = false;

  /** @type {Hello | null} the engine that we last spoke to */
  hello = null;
  /** The last timeline revision heard of, for resync. */
  revision = -1;

  /**
   * @param {object} options
   * @param {string} options.url such as `ws://127.0.0.1:4747/pulse`
   * @param {Topic[]} options.topics
   * @param {string} [options.name] what the engine's log calls us
   * @param {string | null} [options.token]
   */
  constructor({ url, topics, name = "client", token = null }) {
    super();
    this.url = url;
    this.topics = topics;
    this.name = name;
    this.token = token;
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

  close() {
    this.#wanted = false;
    clearTimeout(this.#retry);
    this.#socket?.close(1000);
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
   * @param {Hello["project"]} project
   */
  async resync(project) {
    const socket = this.#socket;
    if (socket === null || this.hello === null || !this.#ready) return;
    this.hello = { ...this.hello, project };
    this.revision = -1;
    try {
      const { state } = await this.#ask(socket, "engine.subscribe", { topics: this.topics });
      this.emit("sync", { hello: this.hello, fresh: false, topics: state });
    } catch {
      // The connection ended: the next one begins with a sync.
    }
  }

  /**
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
   * @param {WebSocket} socket
   * @param {string} method
   * @param {Record<string, unknown>} params
   * @returns {Promise<any>}
   */
  #ask(socket, method, params) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { method, resolve, reject });
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  #open() {
    this.emit("connection", { state: "connecting" });
    const socket = new WebSocket(this.url, subprotocols(this.token));
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#greet(socket).catch((error) => {
        if (error instanceof RpcError && error.code === "protocol.version") {
          this.#refuse("protocol");
        }
        socket.close(1000);
      });
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#lost(socket, code);
    socket.onerror = (event) => event.preventDefault(); // A close follows, and is what counts.
  }

  /** @param {WebSocket} socket */
  async #greet(socket) {
    /** @type {Hello} */
    const hello = await this.#ask(socket, "engine.hello", { client: this.name, protocol: 1 });
    const known = this.hello;
    const sameProject = known?.project.projectId === hello.project.projectId;
    const { state } = await this.#ask(socket, "engine.subscribe", {
      topics: this.topics,
      ...(sameProject && this.revision >= 0 ? { sinceRevision: this.revision } : {}),
    });
    this.hello = hello;
    this.#attempt = 0;
    this.#ready = true;
    this.emit("sync", { hello, fresh: known?.instanceId !== hello.instanceId, topics: state });
    this.emit("connection", { state: "open" });
  }

  /** @param {string | ArrayBuffer} data */
  #receive(data) {
    if (typeof data !== "string") {
      const frame = decodeFrame(data);
      if (frame !== null) this.emit(frame.kind, frame);
      return;
    }
    const message = JSON.parse(data);
    for (const one of Array.isArray(message) ? message : [message]) {
      if ("method" in one) {
        this.emit(one.method, one.params);
        continue;
      }
      const pending = this.#pending.get(one.id);
      if (pending === undefined) continue;
      this.#pending.delete(one.id);
      if ("error" in one) pending.reject(new RpcError(pending.method, one.error));
      else pending.resolve(one.result);
    }
  }

  /**
   * @param {WebSocket} socket
   * @param {number} code
   */
  #lost(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#ready = false;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { method, reject } of pending) reject(new Disconnected(method));
    const refusal = REFUSALS.get(code);
    if (refusal !== undefined) return this.#refuse(refusal);
    if (!this.#wanted) return this.emit("connection", { state: "closed" });
    const retryInMs = RETRY_MS[Math.min(this.#attempt++, RETRY_MS.length - 1)];
    this.emit("connection", { state: "waiting", retryInMs });
    this.#retry = setTimeout(() => this.#tryAgain(), retryInMs);
  }

  /** A handshake refused over HTTP looks to a browser like any other failure, so a plain request asks for the reason. */
  async #tryAgain() {
    const status = await this.#probe();
    if (!this.#wanted || this.#socket !== null) return;
    if (status === 401) this.#refuse("token");
    else if (status === 403) this.#refuse("origin");
    else this.#open();
  }

  async #probe() {
    try {
      const url = new URL("/openrpc.json", this.url.replace(/^ws/, "http"));
      const headers = this.token === null ? undefined : { authorization: `Bearer ${this.token}` };
      const answer = await fetch(url, { headers, signal: AbortSignal.timeout(3000) });
      await answer.body?.cancel();
      return answer.status;
    } catch {
      return 0; // Nothing listens there at the moment: try the WebSocket, which says so in its own time.
    }
  }

  /** @param {string} reason */
  #refuse(reason) {
    this.#wanted = false;
    this.emit("connection", { state: "refused", reason });
  }
}

// @ts-check
import { Emitter } from "../client/emitter.js";

/** @import { Session } from "./session.js" */

/**
 * Listening to a file beside the timeline. One at a time: the next fades in over the last.
 *
 * @extends {Emitter<{ changed: string | null }>}
 */
export class Audition extends Emitter {
  /** @type {string | null} the asset that is heard, or is about to be */
  assetId = null;
  /** @type {string | null} */
  #handleId = null;
  /** Streams that ended before the answer that names them came. */
  #ended = new Set();
  /** What is heard, for people. */
  #name = "";
  /** What was asked last; answers to what was asked before are out of date. */
  #turn = 0;

  /** @param {Session} session */
  constructor(session) {
    super();
    this.session = session;
    session.client.on("stream.ended", ({ handleId, reason, message }) => {
      if (this.#handleId !== handleId) {
        this.#ended.add(handleId);
        return;
      }
      this.#handleId = null;
      const name = this.#name;
      this.#show(null);
      if (message !== undefined) session.notices.fail({ code: reason, message }, "listen to", name);
    });
    session.on("connected", (connected) => {
      if (connected) return;
      this.#handleId = null;
      this.#ended.clear();
      this.#show(null);
    });
  }

  /**
   * Listens to an asset, or no more if it is heard.
   *
   * @param {string} assetId
   * @param {string} name for people
   */
  toggle(assetId, name) {
    return this.assetId === assetId ? this.stop() : this.listen(assetId, name);
  }

  /**
   * @param {string} assetId
   * @param {string} name
   */
  async listen(assetId, name) {
    const turn = ++this.#turn;
    this.#name = name;
    this.#show(assetId);
    const replaces = this.#handleId === null ? {} : { replaces: this.#handleId };
    this.#handleId = null;
    const handle = await this.session.ask("stream.start", { assetId, ...replaces }, "listen");
    const over = handle === null || this.#ended.delete(handle.handleId);
    if (turn !== this.#turn) {
      // Something else is wanted by now.
      if (!over) await this.session.ask("stream.stop", { handleId: handle.handleId }, "stop");
      return;
    }
    if (over) this.#show(null);
    else this.#handleId = handle.handleId;
  }

  async stop() {
    this.#turn++;
    const handleId = this.#handleId;
    this.#handleId = null;
    this.#show(null);
    if (handleId !== null) await this.session.ask("stream.stop", { handleId }, "stop listening");
  }

  /** @param {string | null} assetId */
  #show(assetId) {
    if (this.assetId === assetId) return;
    this.assetId = assetId;
    this.emit("changed", assetId);
  }
}

// @ts-check
import { newId } from "./ids.js";

/** @import { Edit, EditResult } from "../client/types.js" */

/**
 * Edits that follow a hand: at most one is on its way, of those that wait only the last matters, and all of them together are
 * one step of undo.
 */
export class LiveEdit {
  #mergeKey = newId("drag");
  /** @type {Edit[] | (() => Edit[]) | null} */
  #waiting = null;
  /** @type {Edit[]} */
  #before = [];
  /** @type {Promise<void> | null} */
  #running = null;
  #sent = 0;

  /**
   * @param {(edits: Edit[], options: { label: string, mergeKey: string }) => Promise<EditResult | null>} send null: refused
   * @param {string} label
   */
  constructor(send, label) {
    this.send = send;
    this.label = label;
  }

  /** Whether the engine has done anything of it. */
  get touched() {
    return this.#sent > 0;
  }

  /** @param {Edit[] | (() => Edit[])} edits what stands now, not a step: later ones replace it; or what makes it when it is sent */
  update(edits) {
    this.#waiting = edits;
    this.#running ??= this.#drain();
  }

  /** @param {Edit[]} edits what updates build on: goes with the next of them, whatever replaces that one */
  first(edits) {
    this.#before.push(...edits);
  }

  /** Resolves when the last update has been answered. */
  async settled() {
    await this.#running;
  }

  async #drain() {
    while (this.#waiting !== null) {
      const waiting = this.#waiting;
      const edits = [...this.#before, ...typeof waiting === "function" ? waiting() : waiting];
      this.#before = [];
      this.#waiting = null;
      if (edits.length === 0) continue;
      const done = await this.send(edits, { label: this.label, mergeKey: this.#mergeKey });
      if (done !== null) this.#sent++;
    }
    this.#running = null;
  }
}

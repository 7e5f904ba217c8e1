// @ts-check
/** @import { Underrun } from "./types.js" */

/** Records that are kept. */
const KEPT = 200;

/** Gaps as the engine told them, asked for again only as far as they may have changed. */
export class UnderrunBook {
  /** @type {Map<number, Underrun>} */
  #records = new Map();
  total = 0;

  clear() {
    this.#records.clear();
    this.total = 0;
  }

  /** @returns {Underrun[]} oldest first */
  get all() {
    return [...this.#records.values()];
  }

  /** What to ask for: what came since, and what has not ended. @param {number} total as the engine says */
  query(total) {
    const open = this.all.find(({ ended }) => !ended)?.underrunId ?? Infinity;
    const last = Math.max(0, ...this.#records.keys());
    return { afterId: Math.max(0, Math.min(open - 1, last), total - KEPT), limit: KEPT };
  }

  /** @param {{ underruns: Underrun[], total: number }} answer */
  take({ underruns, total }) {
    this.total = total;
    for (const underrun of underruns) this.#records.set(underrun.underrunId, underrun);
    for (const id of [...this.#records.keys()].slice(0, -KEPT)) this.#records.delete(id);
  }
}

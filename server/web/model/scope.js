// @ts-check
import { Emitter } from "../client/emitter.js";

/** @import { TimelineMirror } from "../client/mirror.js" */

/**
 * The tracks that ranges, ripple and splits reach: all of them, save those that were left out by hand.
 *
 * @extends {Emitter<{ changed: void }>}
 */
export class Scope extends Emitter {
  /** @type {Set<string>} */
  #leftOut = new Set();

  /** @param {string} trackId */
  reaches(trackId) {
    return !this.#leftOut.has(trackId);
  }

  /** @param {string} trackId */
  toggle(trackId) {
    if (!this.#leftOut.delete(trackId)) this.#leftOut.add(trackId);
    this.emit("changed", undefined);
  }

  /**
   * @param {TimelineMirror} mirror
   * @param {Iterable<string>} [also] tracks that belong to it whatever was left out
   * @returns {string[] | undefined} ids of the tracks; undefined: all
   */
  trackIds(mirror, also = []) {
    if (this.#leftOut.size === 0) return undefined;
    const more = new Set(also);
    const trackIds = mirror.tracks.map(({ header }) => header.trackId);
    const reached = trackIds.filter((trackId) => this.reaches(trackId) || more.has(trackId));
    return reached.length === trackIds.length ? undefined : reached;
  }
}

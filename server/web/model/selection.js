// @ts-check
/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { ChangedClip } from "../client/types.js" */

/**
 * The clips that commands apply to, and the track that new material goes to.
 */
export class Selection {
  /** @type {Set<string>} */
  #clipIds = new Set();
  /** @type {() => void} */
  #changed;
  /** @type {string | null} */
  #trackId = null;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  get clipIds() {
    return [...this.#clipIds];
  }

  get size() {
    return this.#clipIds.size;
  }

  get trackId() {
    return this.#trackId;
  }

  /** @param {string} clipId */
  has(clipId) {
    return this.#clipIds.has(clipId);
  }

  /** @param {Iterable<string>} clipIds */
  set(clipIds) {
    const next = new Set(clipIds);
    if (next.size === this.#clipIds.size && next.isSubsetOf(this.#clipIds)) return;
    this.#clipIds = next;
    this.#changed();
  }

  /** @param {string} clipId */
  toggle(clipId) {
    const next = new Set(this.#clipIds);
    if (!next.delete(clipId)) next.add(clipId);
    this.set(next);
  }

  clear() {
    this.set([]);
  }

  /** @param {string | null} trackId */
  setTrack(trackId) {
    if (trackId === this.#trackId) return;
    this.#trackId = trackId;
    this.#changed();
  }

  /**
   * @param {TimelineMirror} mirror
   * @returns {ChangedClip[]} those that still exist
   */
  clips(mirror) {
    return this.clipIds.flatMap((clipId) => mirror.clip(clipId) ?? []);
  }

  /**
   * Forgets what is no longer there.
   *
   * @param {TimelineMirror} mirror
   */
  prune(mirror) {
    this.set(this.clipIds.filter((clipId) => mirror.clip(clipId) !== undefined));
    if (this.#trackId !== null && mirror.track(this.#trackId) === undefined) this.setTrack(null);
  }
}

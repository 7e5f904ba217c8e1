// @ts-check
/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { ChangedClip } from "../client/types.js" */

/**
 * The clips that commands apply to, and the track that new material goes to.
 */
export class Selection {
  /** @type {Set<string>} */
  #clipIds = new Set();
  /** @type {Set<string>} */
  #expected = new Set();
  /** @type {string | null} where a range begins */
  #anchorId = null;
  /** @type {(clipIds: Iterable<string>) => void} */
  #changed;
  /** @type {string | null} */
  #trackId = null;
  /** How often it has changed: who selects when the engine has answered sees whether somebody did meanwhile. */
  changes = 0;

  /** @param {(clipIds: Iterable<string>) => void} changed with what is selected only now, or no longer */
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
    const differing = next.symmetricDifference(this.#clipIds);
    this.#clipIds = next;
    this.changes++;
    this.#changed(differing);
  }

  /**
   * Selects clips that the engine has been asked for and that are not there yet.
   *
   * @param {Iterable<string>} clipIds
   */
  expect(clipIds) {
    this.#expected = new Set(clipIds);
    this.set(this.#expected);
  }

  /**
   * Everything between the clip that was chosen last and this one: in time, and over the tracks from the one to the other.
   *
   * @param {TimelineMirror} mirror
   * @param {string} clipId
   */
  extendTo(mirror, clipId) {
    const from = mirror.clip(this.#anchorId ?? "");
    const to = mirror.clip(clipId);
    if (to === undefined) return;
    if (from === undefined) return this.choose(clipId);
    const tracks = mirror.tracks;
    const [a, b] = [from, to].map(({ trackId }) =>
      tracks.findIndex(({ header }) => header.trackId === trackId)
    );
    const start = Math.min(from.startFrame, to.startFrame);
    const end = Math.max(from.startFrame + from.lengthFrames, to.startFrame + to.lengthFrames);
    this.set(
      tracks.slice(Math.min(a, b), Math.max(a, b) + 1)
        .flatMap(({ clips }) => Array.from(clips.range(start, end), (clip) => clip.clipId)),
    );
  }

  /**
   * Selects one clip, from which a range may go on.
   *
   * @param {string} clipId
   * @param {Iterable<string>} [segment] what is selected with it
   */
  choose(clipId, segment = [clipId]) {
    this.#anchorId = clipId;
    this.set(segment);
  }

  /**
   * @param {string} clipId
   * @param {Iterable<string>} [segment] what comes and goes with it
   */
  toggle(clipId, segment = [clipId]) {
    this.#anchorId = clipId;
    const had = this.#clipIds.has(clipId);
    const next = new Set(this.#clipIds);
    for (const member of segment) {
      if (had) next.delete(member);
      else next.add(member);
    }
    this.set(next);
  }

  clear() {
    this.set([]);
  }

  /** @param {string | null} trackId */
  setTrack(trackId) {
    if (trackId === this.#trackId) return;
    this.#trackId = trackId;
    this.#changed([]);
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
    const there = (/** @type {string} */ clipId) => mirror.clip(clipId) !== undefined;
    for (const clipId of this.#expected) if (there(clipId)) this.#expected.delete(clipId);
    this.set(this.clipIds.filter((clipId) => there(clipId) || this.#expected.has(clipId)));
    if (this.#trackId !== null && mirror.track(this.#trackId) === undefined) this.setTrack(null);
  }
}

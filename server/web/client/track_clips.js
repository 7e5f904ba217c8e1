// @ts-check
/** @import { ChangedClip } from "./types.js" */

/**
 * The clips of one track in the order of their starts, with a quick answer to "which ones touch this range". Changes are cheap and
 * may come in any number; the order is mended once, when next asked for.
 */
export class TrackClips {
  /** @type {ChangedClip[]} */
  #clips = [];
  /** Greatest end of the clips up to and with each: grows along the list, so that it can be searched. */
  #latestEnds = new Float64Array(0);
  #tidy = true;

  get size() {
    return this.#clips.length;
  }

  /** End of the last clip to end, in frames; 0 without clips. */
  get endFrame() {
    this.settle();
    return this.#clips.length === 0 ? 0 : this.#latestEnds[this.#clips.length - 1];
  }

  /** @param {ChangedClip} clip */
  add(clip) {
    this.#clips.push(clip);
    this.#tidy = false;
  }

  /** @param {Set<string>} clipIds */
  remove(clipIds) {
    this.#clips = this.#clips.filter((clip) => !clipIds.has(clip.clipId));
    this.#tidy = false;
  }

  /**
   * Moves clips; call `settle` before the first shift of a set of changes, since among clips with one start the order of before counts.
   *
   * @param {number} fromFrame clips that start there or later
   * @param {number} byFrames
   */
  shift(fromFrame, byFrames) {
    for (const clip of this.#clips) {
      if (clip.startFrame >= fromFrame) clip.startFrame += byFrames;
    }
    this.#tidy = false;
  }

  /** @returns {readonly ChangedClip[]} all, in order */
  all() {
    this.settle();
    return this.#clips;
  }

  /**
   * @param {number} startFrame
   * @param {number} endFrame
   * @returns {Generator<ChangedClip>} clips that touch `[startFrame, endFrame)`, in order
   */
  *range(startFrame, endFrame) {
    this.settle();
    const clips = this.#clips;
    for (let index = this.#firstEndingAfter(startFrame); index < clips.length; index++) {
      const clip = clips[index];
      if (clip.startFrame >= endFrame) return;
      if (clip.startFrame + clip.lengthFrames > startFrame) yield clip;
    }
  }

  /** @param {number} frame */
  #firstEndingAfter(frame) {
    let low = 0;
    let high = this.#clips.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#latestEnds[middle] > frame) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Puts the clips in the order of their starts; equal ones keep theirs. */
  settle() {
    if (this.#tidy) return;
    this.#tidy = true;
    const clips = this.#clips;
    let ordered = true;
    for (let index = 1; index < clips.length && ordered; index++) {
      ordered = clips[index - 1].startFrame <= clips[index].startFrame;
    }
    if (!ordered) clips.sort((a, b) => a.startFrame - b.startFrame);
    if (this.#latestEnds.length < clips.length) {
      this.#latestEnds = new Float64Array(clips.length * 2);
    }
    let latest = 0;
    clips.forEach((clip, index) => {
      latest = Math.max(latest, clip.startFrame + clip.lengthFrames);
      this.#latestEnds[index] = latest;
    });
  }
}

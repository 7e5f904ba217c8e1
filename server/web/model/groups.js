// @ts-check
/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { ChangedClip } from "../client/types.js" */

/** Colours that groups have, in turn (ui/theme.js). */
export const GROUP_HUES = 6;

/**
 * Which clips are one segment. Gathered when first asked for after a change: while an edit follows the hand nobody asks.
 */
export class GroupBook {
  /** @type {Map<string, string[]> | null} */
  #members = null;

  /** @param {TimelineMirror} mirror */
  constructor(mirror) {
    this.mirror = mirror;
  }

  /** The timeline is another one. */
  changed() {
    this.#members = null;
  }

  /**
   * @param {ChangedClip} clip
   * @returns {string[]} ids of the clips of its group, or its own
   */
  segmentOf(clip) {
    return clip.groupId === undefined
      ? [clip.clipId]
      : this.#gathered.get(clip.groupId) ?? [clip.clipId];
  }

  /**
   * @param {Iterable<string>} clipIds
   * @returns {Set<string>} these and what is grouped with them
   */
  whole(clipIds) {
    /** @type {Set<string>} */
    const whole = new Set();
    for (const clipId of clipIds) {
      const clip = this.mirror.clip(clipId);
      if (clip === undefined || whole.has(clipId)) continue;
      for (const member of this.segmentOf(clip)) whole.add(member);
    }
    return whole;
  }

  /** @returns {Map<string, string[]>} */
  get #gathered() {
    if (this.#members !== null) return this.#members;
    this.#members = new Map();
    for (const { clipId, groupId } of this.mirror.clips()) {
      if (groupId === undefined) continue;
      const members = this.#members.get(groupId);
      if (members === undefined) this.#members.set(groupId, [clipId]);
      else members.push(clipId);
    }
    return this.#members;
  }
}

/**
 * The colour of a group's mark: the same everywhere and after a restart.
 *
 * @param {string} groupId
 * @returns {number} below `GROUP_HUES`
 */
export function groupHue(groupId) {
  let hash = 0;
  for (let at = 0; at < groupId.length; at++) {
    hash = (Math.imul(hash, 31) + groupId.charCodeAt(at)) | 0;
  }
  return (hash >>> 0) % GROUP_HUES;
}

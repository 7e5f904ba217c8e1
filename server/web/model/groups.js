// @ts-check
/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { ChangedClip } from "../client/types.js" */

/** Colours that groups have, in turn (ui/theme.js). */
export const GROUP_HUES = 6;

/**
 * @param {TimelineMirror} mirror
 * @param {ChangedClip} clip
 * @returns {string[]} ids of the clips of its segment: what is grouped with it, or it alone
 */
export function segmentOf(mirror, { clipId, groupId }) {
  return groupId === undefined ? [clipId] : [...mirror.group(groupId)];
}

/**
 * @param {TimelineMirror} mirror
 * @param {Iterable<string>} clipIds
 * @returns {Set<string>} these and what is grouped with them
 */
export function wholeSegments(mirror, clipIds) {
  /** @type {Set<string>} */
  const whole = new Set();
  for (const clipId of clipIds) {
    const clip = mirror.clip(clipId);
    if (clip === undefined || whole.has(clipId)) continue;
    for (const member of segmentOf(mirror, clip)) whole.add(member);
  }
  return whole;
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

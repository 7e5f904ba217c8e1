// @ts-check
/**
 * Speeds of clips as edits: a clip at another speed plays the same of its source in another time. Values to values.
 *
 * @module
 */
import { clipEnd, extent } from "./edits.js";
import { moveFollowers } from "./segments.js";

/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { ChangedClip, Edit } from "../client/types.js" */

/** What the engine plays. */
export const LEAST_RATE = 1 / 16;
export const MOST_RATE = 16;

/** What a clip at another speed does, in words. */
export const SPEED_MODES = /** @type {const} */ ([
  ["matchSpeed", "Pitch follows the speed"],
  ["maintainPitch", "Keep the pitch"],
  ["mute", "Mute"],
]);

/** @param {number} rate */
export function percent(rate) {
  return `${Number((rate * 100).toFixed(2))} %`;
}

/**
 * What is special about the speed of a clip, in words for a badge; empty at its own.
 *
 * @param {{ rate: number, reverse?: boolean, speedMode: string }} clip
 */
export function speedText({ rate, reverse, speedMode }) {
  if (rate === 1 && !reverse) return "";
  const muted = speedMode === "mute" && rate !== 1;
  return [reverse ? "◂" : "", rate === 1 ? "" : percent(rate), muted ? "mute" : ""]
    .filter(Boolean).join(" ");
}

/**
 * The same for those who hear it.
 *
 * @param {{ rate: number, reverse?: boolean, speedMode: string }} clip
 */
export function speedWords({ rate, reverse, speedMode }) {
  const mode = rate === 1 ? "" : SPEED_MODES.find(([name]) => name === speedMode)?.[1] ?? "";
  return [
    rate === 1 ? "" : `at ${percent(rate)} speed`,
    mode.toLowerCase(),
    reverse ? "reversed" : "",
  ].filter(Boolean).join(", ");
}

/**
 * @typedef {object} SpeedChange
 * @property {number} [rate]
 * @property {ChangedClip["speedMode"]} [speedMode]
 * @property {boolean} [reverse]
 */

/**
 * Gives clips another speed. What is grouped stays in step: a member that began later begins as much later as its speed says.
 *
 * @param {TimelineMirror} mirror
 * @param {ChangedClip[]} clips
 * @param {SpeedChange} change what is not named stays
 * @param {boolean} ripple what follows on their tracks moves along
 * @returns {Edit[] | null} null: too much would have to be moved
 */
export function changeSpeed(mirror, clips, change, ripple) {
  /** @type {Edit[]} */
  const edits = [];
  // From the last to the first, so that what one moves is not what another names.
  for (const segment of segmentsOf(clips).reverse()) {
    const factors = segment.map((clip) => change.rate === undefined ? 1 : clip.rate / change.rate);
    const anchor = Math.min(...segment.map(({ startFrame }) => startFrame));
    const changed = segment.map((clip, index) => stretched(clip, factors[index], anchor, change));
    const sets = changed.flatMap(({ edits }) => edits);
    const before = extent(segment)?.endFrame ?? 0;
    const by = Math.max(...changed.map(({ endFrame }) => endFrame)) - before;
    const moves = !ripple ? [] : moveFollowers(mirror, {
      trackIds: [...new Set(segment.map(({ trackId }) => trackId))],
      edge: before,
      byFrames: by,
      sinceFrame: anchor,
      without: new Set(segment.map(({ clipId }) => clipId)),
    });
    if (moves === null) return null;
    edits.push(...(by > 0 ? [...moves, ...sets] : [...sets, ...moves]));
  }
  return edits;
}

/**
 * Clips stretched around a place by as much as one edge of them is drawn.
 *
 * @param {ChangedClip[]} clips as they were when the drag began
 * @param {number} anchor frame that stays
 * @param {number} factor new length by old
 * @returns {Edit[]}
 */
export function stretch(clips, anchor, factor) {
  return clips.flatMap((clip) => {
    const { startFrame, edits } = stretched(clip, factor, anchor, {});
    // The update before may have moved what this one leaves where it was.
    const moved = edits.length > 1;
    return moved ? edits : [{ op: "clip.move", clipId: clip.clipId, startFrame }, ...edits];
  });
}

/**
 * @param {ChangedClip[]} clips
 * @returns {{ least: number, most: number }} factors of length that their rates allow
 */
export function stretchLimits(clips) {
  return {
    least: Math.max(...clips.map(({ rate }) => rate / MOST_RATE)),
    most: Math.min(...clips.map(({ rate }) => rate / LEAST_RATE)),
  };
}

/**
 * @param {ChangedClip} clip
 * @param {number} factor
 * @param {number} anchor
 * @param {SpeedChange} change
 * @returns {{ edits: Edit[], startFrame: number, endFrame: number }}
 */
function stretched(clip, factor, anchor, change) {
  const { clipId, lengthFrames, rate, fadeInFrames, fadeOutFrames } = clip;
  const startFrame = Math.max(0, anchor + Math.round((clip.startFrame - anchor) * factor));
  const length = Math.max(1, Math.round(lengthFrames * factor));
  // Drawn by hand, the speed is what brings exactly the same of the source into the new length.
  const wanted = change.rate ?? (length === lengthFrames ? rate : (rate * lengthFrames) / length);
  const { speedMode, reverse } = change;
  /** @type {Edit[]} */
  const edits = [];
  if (startFrame !== clip.startFrame) edits.push({ op: "clip.move", clipId, startFrame });
  edits.push({
    op: "clip.set",
    clipId,
    set: {
      lengthFrames: length,
      rate: Math.min(MOST_RATE, Math.max(LEAST_RATE, wanted)),
      fadeInFrames: Math.min(length, Math.round(fadeInFrames * factor)),
      fadeOutFrames: Math.min(length, Math.round(fadeOutFrames * factor)),
      ...(speedMode === undefined ? {} : { speedMode }),
      ...(reverse === undefined ? {} : { reverse }),
    },
  });
  return { edits, startFrame, endFrame: startFrame + length };
}

/**
 * @param {ChangedClip[]} clips
 * @returns {ChangedClip[][]} by group, in the order of their starts
 */
function segmentsOf(clips) {
  const segments = Map.groupBy(
    clips.toSorted((a, b) => a.startFrame - b.startFrame),
    ({ clipId, groupId }) => groupId === undefined ? `clip ${clipId}` : `group ${groupId}`,
  );
  return [...segments.values()];
}

/**
 * Where a clip's source begins and ends on the timeline, whichever way it plays.
 *
 * @param {ChangedClip} clip
 * @param {number} sourceLength frames at the project's rate; Infinity where it is not known
 * @returns {{ from: number, to: number }} frames, with fractions
 */
export function sourceOnTimeline(clip, sourceLength) {
  const { startFrame, sourceFrame, rate } = clip;
  const endFrame = clipEnd(clip);
  return clip.reverse
    ? {
      from: endFrame - (sourceLength - sourceFrame) / rate,
      to: endFrame + sourceFrame / rate,
    }
    : {
      from: startFrame - sourceFrame / rate,
      to: startFrame + (sourceLength - sourceFrame) / rate,
    };
}

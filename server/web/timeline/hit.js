// @ts-check
import { clipEnd } from "../model/edits.js";
import { CLIP_INSET, GAIN_HANDLE_ROOM, GAIN_HANDLE_WIDTH, TITLE_HEIGHT } from "./clip_painter.js";

/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { ChangedClip } from "../client/types.js" */
/** @import { View } from "../model/view.js" */

const EDGE_PX = 6;
const HANDLE_PX = 7;

/** @typedef {"body" | "start" | "end" | "fadeIn" | "fadeOut" | "gain"} Zone */
/** @typedef {{ clip: ChangedClip, zone: Zone }} Hit */

/**
 * What lies under the pointer. Where clips overlap, the one that starts later is on top; a selected one is above all.
 *
 * @param {TimelineMirror} mirror
 * @param {View} view
 * @param {number} x CSS pixels in the lanes
 * @param {number} y
 * @param {(clipId: string) => boolean} isSelected
 * @returns {Hit | null}
 */
export function hitTest(mirror, view, x, y, isSelected) {
  const index = view.trackIndexAt(y);
  const track = mirror.tracks[index];
  if (track === undefined) return null;
  const frame = view.frameAt(x);
  const reach = 2 * view.framesPerPixel;
  /** @type {ChangedClip | null} */
  let found = null;
  for (const clip of track.clips.range(frame - reach, frame + reach)) {
    if (found === null || !isSelected(found.clipId) || isSelected(clip.clipId)) found = clip;
  }
  return found === null ? null : { clip: found, zone: zoneOf(found, view, x, y - view.yOf(index)) };
}

/**
 * @param {ChangedClip} clip
 * @param {View} view
 * @param {number} x
 * @param {number} y within the lane
 * @returns {Zone}
 */
function zoneOf(clip, view, x, y) {
  const from = view.xOf(clip.startFrame);
  const to = view.xOf(clipEnd(clip));
  const width = to - from;
  const handleY = CLIP_INSET + TITLE_HEIGHT + 4;
  if (width >= 40 && Math.abs(y - handleY) <= HANDLE_PX) {
    const fadeIn = from + Math.max(5, clip.fadeInFrames / view.framesPerPixel);
    const fadeOut = to - Math.max(5, clip.fadeOutFrames / view.framesPerPixel);
    if (Math.abs(x - fadeIn) <= HANDLE_PX) return "fadeIn";
    if (Math.abs(x - fadeOut) <= HANDLE_PX) return "fadeOut";
    const [left, right] = [Math.max(0, from), Math.min(view.width, to)];
    const gain = Math.abs(x - (left + right) / 2) <= GAIN_HANDLE_WIDTH / 2 + 3;
    if (right - left >= GAIN_HANDLE_ROOM && gain) return "gain";
  }
  const edge = Math.min(EDGE_PX, width / 4);
  if (x - from <= edge) return "start";
  if (to - x <= edge) return "end";
  return "body";
}

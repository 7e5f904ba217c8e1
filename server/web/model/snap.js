// @ts-check
/** @import { TimelineMirror } from "../client/mirror.js" */

/**
 * Places that a drag is drawn to, gathered once at its beginning.
 *
 * @param {TimelineMirror} mirror
 * @param {object} options
 * @param {number} options.startFrame of what is seen: nothing outside of it draws
 * @param {number} options.endFrame
 * @param {ReadonlySet<string>} options.without clips that move themselves
 * @param {number[]} options.also playhead and the like
 * @returns {Float64Array} in order
 */
export function snapPoints(mirror, { startFrame, endFrame, without, also }) {
  const points = [0, ...also];
  for (const { clips } of mirror.tracks) {
    for (const clip of clips.range(startFrame, endFrame)) {
      if (!without.has(clip.clipId)) {
        points.push(clip.startFrame, clip.startFrame + clip.lengthFrames);
      }
    }
  }
  for (const marker of mirror.markers) points.push(marker.frame);
  if (mirror.ioPoints !== null) points.push(mirror.ioPoints.inFrame, mirror.ioPoints.outFrame);
  return Float64Array.from(points).sort();
}

/**
 * @param {Float64Array} points in order
 * @param {number[]} frames places of what is dragged, such as its start and its end
 * @param {number} reach in frames
 * @returns {{ byFrames: number, atFrame: number } | null} the smallest shift that brings one of them onto a point
 */
export function snapShift(points, frames, reach) {
  /** @type {{ byFrames: number, atFrame: number } | null} */
  let best = null;
  for (const frame of frames) {
    for (const index of [lowerBound(points, frame) - 1, lowerBound(points, frame)]) {
      if (index < 0 || index >= points.length) continue;
      const byFrames = points[index] - frame;
      if (Math.abs(byFrames) <= Math.min(reach, Math.abs(best?.byFrames ?? Infinity))) {
        best = { byFrames, atFrame: points[index] };
      }
    }
  }
  return best;
}

/**
 * @param {Float64Array} points
 * @param {number} frame
 */
function lowerBound(points, frame) {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle] < frame) low = middle + 1;
    else high = middle;
  }
  return low;
}

// @ts-check
import { clipEnd } from "../model/edits.js";

/** @import { View } from "../model/view.js" */
/** @import { LaneScene } from "./lanes.js" */
/** @import { Surface } from "./surface.js" */

/**
 * Frames that the overview spans: the material and whatever part of the view reaches beyond.
 *
 * @param {View} view
 */
export function overviewSpan(view) {
  return Math.max(view.endFrame * 1.02, view.endVisibleFrame, 1);
}

/**
 * The whole timeline in a strip, and the part that is seen: it is the horizontal scroll bar too.
 *
 * @param {Surface} surface
 * @param {LaneScene} scene
 */
export function drawOverview({ context, canvas, density }, { view, mirror, theme, selection }) {
  context.fillStyle = theme.lane;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const perFrame = canvas.width / overviewSpan(view);
  const tracks = mirror.tracks;
  const pad = 4 * density;
  const row = Math.min(5 * density, (canvas.height - 2 * pad) / Math.max(1, tracks.length));
  const top = (canvas.height - row * tracks.length) / 2;
  tracks.forEach(({ clips }, index) => {
    const plain = theme.clips[index % theme.clips.length].wave;
    const y = top + index * row;
    const height = Math.max(1, row - density);
    // A column is painted once, however many clips share it.
    let painted = -1;
    for (const clip of clips.all()) {
      const selected = selection.has(clip.clipId);
      const from = Math.floor(clip.startFrame * perFrame);
      const to = Math.max(from + 1, Math.ceil(clipEnd(clip) * perFrame) - (row > 3 ? 1 : 0));
      if (to <= painted && !selected) continue;
      context.fillStyle = selected ? theme.text : plain;
      context.fillRect(from, y, to - from, height);
      painted = to;
    }
  });
  const from = view.scrollFrame * perFrame;
  const to = view.endVisibleFrame * perFrame;
  context.fillStyle = theme.shade;
  context.fillRect(0, 0, from, canvas.height);
  context.fillRect(to, 0, canvas.width - to, canvas.height);
  context.strokeStyle = theme.dim;
  context.lineWidth = density;
  context.beginPath();
  context.roundRect(
    from + density / 2,
    density / 2,
    Math.max(6 * density, to - from - density),
    canvas.height - density,
    3 * density,
  );
  context.stroke();
}

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
 * The whole timeline in a strip, and the part that is seen: it is the horizontal scroll bar too. The clips are painted once and kept as a
 * picture until something about them changes.
 */
export class Overview {
  #picture = new OffscreenCanvas(1, 1);
  #painted = "";
  #version = 0;

  /** @param {Surface} surface */
  constructor(surface) {
    this.surface = surface;
  }

  /** Clips, selection or colours changed. */
  invalidate() {
    this.#version++;
  }

  /** @param {LaneScene} scene */
  draw(scene) {
    const { context, canvas, density } = this.surface;
    const { view, theme } = scene;
    const state = `${this.#version}/${canvas.width}/${canvas.height}/${overviewSpan(view)}`;
    if (state !== this.#painted) {
      this.#painted = state;
      this.#paint(scene);
    }
    context.drawImage(this.#picture, 0, 0);
    const perFrame = canvas.width / overviewSpan(view);
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

  /** @param {LaneScene} scene */
  #paint({ view, mirror, theme, selection }) {
    const { canvas, density } = this.surface;
    const picture = this.#picture;
    picture.width = canvas.width;
    picture.height = canvas.height;
    const context = picture.getContext("2d", { alpha: false });
    if (context === null) return;
    context.fillStyle = theme.lane;
    context.fillRect(0, 0, canvas.width, canvas.height);
    const perFrame = canvas.width / overviewSpan(view);
    const tracks = mirror.tracks;
    const pad = 4 * density;
    const row = Math.min(5 * density, (canvas.height - 2 * pad) / Math.max(1, tracks.length));
    const gap = row > 3 * density ? 1 : 0;
    const top = (canvas.height - row * tracks.length) / 2;
    tracks.forEach(({ clips }, index) => {
      const y = top + index * row;
      const height = Math.max(1, row - density);
      // A column is painted once, however many clips share it.
      let painted = -1;
      context.fillStyle = theme.clips[index % theme.clips.length].wave;
      for (const clip of clips.range(0, Infinity, 0.5 / perFrame)) {
        const from = Math.floor(clip.startFrame * perFrame);
        const to = Math.max(from + 1, Math.ceil(clipEnd(clip) * perFrame) - gap);
        if (to <= painted) continue;
        context.fillRect(from, y, to - from, height);
        painted = to;
      }
    });
    context.fillStyle = theme.text;
    const rows = new Map(tracks.map(({ header }, index) => [header.trackId, index]));
    for (const clip of selection.clips(mirror)) {
      const from = Math.floor(clip.startFrame * perFrame);
      const to = Math.max(from + 1, Math.ceil(clipEnd(clip) * perFrame) - gap);
      const y = top + (rows.get(clip.trackId) ?? 0) * row;
      context.fillRect(from, y, to - from, Math.max(1, row - density));
    }
  }
}

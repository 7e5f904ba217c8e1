// @ts-check
import { clipEnd } from "../model/edits.js";
import { CLIP_INSET, drawClip, prepareClips } from "./clip_painter.js";
import { gridFor } from "./ticks.js";

/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { MirroredTrack } from "../client/mirror.js" */
/** @import { AssetBook } from "../model/asset_book.js" */
/** @import { PeakTiles } from "../model/peak_tiles.js" */
/** @import { Selection } from "../model/selection.js" */
/** @import { View } from "../model/view.js" */
/** @import { ClipColours, Theme } from "../ui/theme.js" */
/** @import { Surface } from "./surface.js" */

/** Clips narrower than this many device pixels are drawn as one with their neighbours. */
const SPECK = 3;

/**
 * @typedef {object} LaneScene
 * @property {View} view
 * @property {TimelineMirror} mirror
 * @property {AssetBook} assets
 * @property {Selection} selection
 * @property {PeakTiles} tiles
 * @property {Theme} theme
 * @property {string | null} hoveredClipId
 * @property {{ enabled: boolean, startFrame: number, endFrame: number } | null} loop
 */

/**
 * Draws the tracks' clips in what is seen of the timeline.
 *
 * @param {Surface} surface
 * @param {LaneScene} scene
 */
export function drawLanes(surface, scene) {
  const { context, canvas, density } = surface;
  const { view, mirror, theme, tiles } = scene;
  context.fillStyle = theme.panel;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const tracks = mirror.tracks;
  const first = Math.max(0, view.trackIndexAt(0));
  const last = Math.min(tracks.length - 1, view.trackIndexAt(view.height));
  const soloed = tracks.some(({ header }) => header.solo);
  for (let index = first; index <= last; index++) {
    drawLane(surface, scene, index);
  }
  drawGrid(surface, scene, tracks.length);
  tiles.begin();
  prepareClips(context, theme, density);
  for (let index = first; index <= last; index++) {
    const { header } = tracks[index];
    const silent = header.mute || (soloed && !header.solo);
    drawTrack(surface, scene, tracks[index], index, silent);
  }
  tiles.flush();
  drawRanges(surface, scene);
  context.fillStyle = theme.line;
  for (let index = first; index <= last; index++) {
    const y = Math.round((view.yOf(index) + view.trackHeight) * density);
    context.fillRect(0, y - Math.round(density), canvas.width, Math.round(density));
  }
}

/**
 * @param {Surface} surface
 * @param {LaneScene} scene
 * @param {number} index
 */
function drawLane({ context, canvas, density }, { view, theme }, index) {
  const y = Math.round(view.yOf(index) * density);
  context.fillStyle = index % 2 === 0 ? theme.lane : theme.laneAlternate;
  context.fillRect(0, y, canvas.width, Math.round(view.trackHeight * density));
}

/**
 * @param {Surface} surface
 * @param {LaneScene} scene
 * @param {number} trackCount
 */
function drawGrid({ context, density }, { view, mirror, theme }, trackCount) {
  const { stepFrames } = gridFor(view.framesPerPixel, mirror.sampleRate, mirror.frameRate);
  const bottom = Math.round(view.yOf(trackCount) * density);
  context.fillStyle = theme.line;
  const start = Math.floor(view.scrollFrame / stepFrames) * stepFrames;
  for (let frame = start; frame < view.endVisibleFrame; frame += stepFrames) {
    context.fillRect(Math.round(view.xOf(frame) * density), 0, Math.round(density), bottom);
  }
}

/**
 * @param {Surface} surface
 * @param {LaneScene} scene
 * @param {MirroredTrack} track
 * @param {number} index
 * @param {boolean} silent
 */
function drawTrack(surface, scene, track, index, silent) {
  const { context, canvas, density } = surface;
  const { view, selection, theme, mirror } = scene;
  const y = Math.round((view.yOf(index) + CLIP_INSET) * density);
  const height = Math.round((view.trackHeight - 2 * CLIP_INSET - 1) * density);
  const framesPerColumn = view.framesPerPixel / density;
  const plain = silent ? theme.muted : theme.clips[index % theme.clips.length];
  const picked = theme.selected[index % theme.selected.length];
  const specks = new Specks(context, y, height);
  /** @param {import("../client/types.js").ChangedClip} clip */
  const draw = (clip) => {
    const x = Math.round(((clip.startFrame - view.scrollFrame) / view.framesPerPixel) * density);
    const right = Math.round(((clipEnd(clip) - view.scrollFrame) / view.framesPerPixel) * density);
    const selected = selection.has(clip.clipId);
    const colours = selected ? picked : plain;
    if (right - x < SPECK) return specks.add(x, Math.max(x + 1, right), colours);
    const visibleX = Math.max(0, x);
    drawClip(context, {
      clip,
      asset: scene.assets.get(clip.assetId),
      box: {
        x,
        width: right - x,
        y,
        height,
        visibleX,
        visibleWidth: Math.min(canvas.width, right) - visibleX,
      },
      look: { colours, selected, handles: clip.clipId === scene.hoveredClipId },
      tiles: scene.tiles,
      theme,
      framesPerColumn,
      sampleRate: mirror.sampleRate,
      density,
    });
  };
  /** @type {import("../client/types.js").ChangedClip[]} */
  const onTop = [];
  for (const clip of track.clips.range(view.scrollFrame, view.endVisibleFrame)) {
    if (selection.has(clip.clipId)) onTop.push(clip);
    else draw(clip);
  }
  for (const clip of onTop) draw(clip);
  specks.flush();
}

/** Runs of clips too narrow to draw each: ten thousand of them become a few rectangles. */
class Specks {
  #from = 0;
  #to = -1;
  /** @type {ClipColours | null} */
  #colours = null;

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} y
   * @param {number} height
   */
  constructor(context, y, height) {
    this.context = context;
    this.y = y;
    this.height = height;
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {ClipColours} colours
   */
  add(from, to, colours) {
    if (colours !== this.#colours || from > this.#to) {
      this.flush();
      this.#from = from;
      this.#to = to;
      this.#colours = colours;
    }
    this.#to = Math.max(this.#to, to);
  }

  flush() {
    if (this.#colours === null) return;
    this.context.fillStyle = this.#colours.edge;
    this.context.fillRect(this.#from, this.y, this.#to - this.#from, this.height);
    this.#colours = null;
  }
}

/**
 * I/O points and loop, as a tint over the lanes.
 *
 * @param {Surface} surface
 * @param {LaneScene} scene
 */
function drawRanges({ context, canvas, density }, { view, mirror, theme }) {
  if (mirror.ioPoints === null) return;
  const from = view.xOf(mirror.ioPoints.inFrame) * density;
  const to = view.xOf(mirror.ioPoints.outFrame) * density;
  if (to < 0 || from > canvas.width) return;
  context.fillStyle = theme.selection;
  context.fillRect(from, 0, to - from, canvas.height);
}

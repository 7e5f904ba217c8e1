// @ts-check
import { clipEnd } from "../model/edits.js";
import {
  CLIP_INSET,
  drawClipDetails,
  hasDetails,
  paintClip,
  prepareClips,
} from "./clip_painter.js";

/** @import { TimelineMirror } from "../client/mirror.js" */
/** @import { MirroredTrack } from "../client/mirror.js" */
/** @import { AssetBook } from "../model/asset_book.js" */
/** @import { PeakTiles } from "../model/peak_tiles.js" */
/** @import { Pipelines } from "../model/pipelines.js" */
/** @import { ReadyRun } from "../model/ready_runs.js" */
/** @import { Selection } from "../model/selection.js" */
/** @import { View } from "../model/view.js" */
/** @import { Theme } from "../ui/theme.js" */
/** @import { ClipScene } from "./clip_painter.js" */
/** @import { Raster } from "./raster.js" */
/** @import { Surface } from "./surface.js" */
/** @import { Grid } from "./ticks.js" */

/** Of clips narrower than this many device pixels each column shows one: ten thousand of them are no more work than there are columns. */
const SPECK = 3;

/**
 * @typedef {object} LaneScene
 * @property {View} view
 * @property {TimelineMirror} mirror
 * @property {AssetBook} assets
 * @property {Selection} selection
 * @property {PeakTiles} tiles
 * @property {Pipelines} pipelines
 * @property {Theme} theme
 * @property {Grid} grid the ruler's
 * @property {string | null} hoveredClipId
 * @property {{ enabled: boolean, startFrame: number, endFrame: number } | null} loop
 * @property {readonly ReadyRun[]} readiness
 */

/**
 * Draws the tracks' clips in what is seen of the timeline: first what is made of plain pixels, then the rest on top.
 *
 * @param {Surface} surface
 * @param {Raster} raster
 * @param {LaneScene} scene
 */
export function drawLanes(surface, raster, scene) {
  const { context, canvas, density } = surface;
  const { view, mirror, theme, tiles } = scene;
  raster.resize(canvas.width, canvas.height);
  const tracks = mirror.tracks;
  const first = Math.max(0, view.trackIndexAt(0));
  const last = Math.min(tracks.length - 1, view.trackIndexAt(view.height));
  const soloed = tracks.some(({ header }) => header.solo);
  const below = Math.round(view.yOf(last + 1) * density);
  raster.fill(0, below, raster.width, raster.height - below, theme.ground.panel);
  /** @type {ClipScene[]} */
  const detailed = [];
  tiles.begin();
  for (let index = first; index <= last; index++) {
    const { header } = tracks[index];
    paintLane(raster, scene, index, density);
    paintTrack(raster, scene, tracks[index], index, {
      silent: header.mute || (soloed && !header.solo),
      density,
      detailed,
    });
  }
  tiles.flush();
  raster.put(context);
  prepareClips(context, theme, density);
  for (const clip of detailed) drawClipDetails(context, clip);
  drawRanges(surface, scene);
}

/**
 * The ground of a track, with the ruler's divisions.
 *
 * @param {Raster} raster
 * @param {LaneScene} scene
 * @param {number} index
 * @param {number} density
 */
function paintLane(raster, { view, theme, grid: { stepFrames } }, index, density) {
  const y = Math.round(view.yOf(index) * density);
  const bottom = Math.round((view.yOf(index) + view.trackHeight) * density);
  const line = Math.round(density);
  const lane = theme.ground.lanes[index % 2];
  const lines = theme.ground.lines[index % 2];
  raster.fill(0, y, raster.width, bottom - y, lane);
  const start = Math.floor(view.scrollFrame / stepFrames) * stepFrames;
  for (let frame = start; frame < view.endVisibleFrame; frame += stepFrames) {
    raster.fill(Math.round(view.xOf(frame) * density), y, line, bottom - y, lines);
  }
  raster.fill(0, bottom - line, raster.width, line, lines);
}

/**
 * @param {Raster} raster
 * @param {LaneScene} scene
 * @param {MirroredTrack} track
 * @param {number} index
 * @param {{ silent: boolean, density: number, detailed: ClipScene[] }} options `detailed` takes the clips that are not done with that
 */
function paintTrack(raster, scene, track, index, { silent, density, detailed }) {
  const { view, selection, theme, mirror } = scene;
  const y = Math.round((view.yOf(index) + CLIP_INSET) * density);
  const height = Math.round((view.trackHeight - 2 * CLIP_INSET - 1) * density);
  const framesPerColumn = view.framesPerPixel / density;
  const plain = silent ? theme.muted : theme.clips[index % theme.clips.length];
  const picked = theme.selected[index % theme.selected.length];
  let painted = -Infinity;
  // Half a column: each column that has a clip gets one.
  const step = framesPerColumn / 2;
  const shown = [...track.clips.range(view.scrollFrame, view.endVisibleFrame, step)];
  /** @param {number} at index of a clip in `shown` */
  const paint = (at) => {
    const clip = shown[at];
    const [before, after] = [shown[at - 1], shown[at + 1]];
    const x = Math.round(((clip.startFrame - view.scrollFrame) / view.framesPerPixel) * density);
    const right = Math.round(((clipEnd(clip) - view.scrollFrame) / view.framesPerPixel) * density);
    const selected = selection.has(clip.clipId);
    const colours = selected ? picked : plain;
    const isSpeck = right - x < SPECK;
    if (isSpeck && right <= painted && !selected) return;
    painted = Math.max(painted, right);
    const visibleX = Math.max(0, x);
    /** @type {ClipScene} */
    const clipScene = {
      clip,
      asset: scene.assets.get(clip.assetId),
      box: {
        x,
        width: Math.max(1, right - x),
        y,
        height,
        visibleX,
        visibleWidth: Math.min(raster.width, Math.max(x + 1, right)) - visibleX,
      },
      look: { colours, selected, handles: clip.clipId === scene.hoveredClipId },
      tiles: scene.tiles,
      theme,
      framesPerColumn,
      sampleRate: mirror.sampleRate,
      density,
      before,
      crossColumns: before === undefined
        ? 0
        : (Math.min(clipEnd(before), clipEnd(clip)) - clip.startFrame) / framesPerColumn,
      coveredFrom: after === undefined || after.startFrame >= clipEnd(clip)
        ? Infinity
        : ((after.startFrame - view.scrollFrame) / view.framesPerPixel) * density,
      coveredTo: before === undefined || selected || !selection.has(before.clipId)
        ? -Infinity
        : ((clipEnd(before) - view.scrollFrame) / view.framesPerPixel) * density,
      pipeline: clip.speedMode === "maintainPitch" ? scene.pipelines.of(clip.clipId) : undefined,
    };
    paintClip(raster, clipScene, !isSpeck);
    if (hasDetails(clipScene)) detailed.push(clipScene);
  };
  /** @type {number[]} */
  const onTop = [];
  for (let at = 0; at < shown.length; at++) {
    if (selection.has(shown[at].clipId)) onTop.push(at);
    else paint(at);
  }
  for (const clip of hiddenPicks(scene, track, shown, step)) onTop.push(shown.push(clip) - 1);
  for (const at of onTop) paint(at);
}

/**
 * Selected clips in what is seen that were left out for others in their column.
 *
 * @param {LaneScene} scene
 * @param {MirroredTrack} track
 * @param {readonly { clipId: string }[]} shown
 * @param {number} step
 */
function hiddenPicks({ view, mirror, selection }, { header: { trackId }, clips }, shown, step) {
  if (selection.size === 0 || !clips.thins(step)) return [];
  const there = new Set(shown.map(({ clipId }) => clipId));
  return selection.clips(mirror).filter((clip) =>
    clip.trackId === trackId && !there.has(clip.clipId) &&
    clip.startFrame < view.endVisibleFrame && clipEnd(clip) > view.scrollFrame
  );
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

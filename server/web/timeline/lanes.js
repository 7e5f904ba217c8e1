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
/** @import { Scope } from "../model/scope.js" */
/** @import { Selection } from "../model/selection.js" */
/** @import { View } from "../model/view.js" */
/** @import { Theme } from "../ui/theme.js" */
/** @import { ClipScene } from "./clip_painter.js" */
/** @import { Part } from "./damage.js" */
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
 * @property {Scope} scope
 * @property {Theme} theme
 * @property {Grid} grid the ruler's
 * @property {string | null} hoveredClipId
 * @property {{ enabled: boolean, startFrame: number, endFrame: number } | null} loop
 * @property {readonly ReadyRun[]} readiness
 */

/**
 * What drawing has cost since the page was opened.
 * @typedef {object} Drawn
 * @property {number} wholes drawings of all that is seen
 * @property {number} parts pieces that were drawn alone
 * @property {number} clips clips that were painted
 */

/**
 * Draws the tracks' clips in what is seen of the timeline: first what is made of plain pixels, then the rest on top.
 *
 * @param {Surface} surface
 * @param {Raster} raster
 * @param {LaneScene} scene
 * @param {Drawn} drawn takes what it cost
 */
export function drawLanes(surface, raster, scene, drawn) {
  const { context, canvas, density } = surface;
  const { view, mirror, theme, tiles } = scene;
  raster.resize(canvas.width, canvas.height);
  drawn.wholes++;
  const tracks = mirror.tracks;
  const first = Math.max(0, view.trackIndexAt(0));
  const last = Math.min(tracks.length - 1, view.trackIndexAt(view.height));
  const below = Math.round(view.yOf(last + 1) * density);
  raster.fill(0, below, raster.width, raster.height - below, theme.ground.panel);
  /** @type {ClipScene[]} */
  const detailed = [];
  tiles.begin();
  for (let index = first; index <= last; index++) {
    paintLane(raster, scene, index, density);
    drawn.clips += paintTrack(raster, scene, index, {
      fromFrame: view.scrollFrame,
      toFrame: view.endVisibleFrame,
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
 * Draws pieces of what is seen, where nothing else has changed since all of it was drawn.
 *
 * @param {Surface} surface
 * @param {Raster} raster as the last drawing left it
 * @param {LaneScene} scene
 * @param {Part[]} parts
 * @param {Drawn} drawn
 */
export function drawParts(surface, raster, scene, parts, drawn) {
  const { context, density } = surface;
  const { view, theme, tiles } = scene;
  for (const { row, ...part } of parts) {
    const left = Math.max(0, Math.floor(view.xOf(part.fromFrame) * density));
    const right = Math.min(raster.width, Math.ceil(view.xOf(part.toFrame) * density));
    if (right <= left) continue;
    // On whole columns: what is left out of many clips in one is then the same as in a drawing of everything.
    const [fromFrame, toFrame] = [left, right].map((column) => view.frameAt(column / density));
    const y = Math.round(view.yOf(row) * density);
    const height = Math.round((view.yOf(row) + view.trackHeight) * density) - y;
    /** @type {ClipScene[]} */
    const detailed = [];
    raster.limit(left, right);
    paintLane(raster, scene, row, density);
    drawn.parts++;
    drawn.clips += paintTrack(raster, scene, row, { fromFrame, toFrame, density, detailed });
    raster.putPart(context, y, height);
    context.save();
    context.beginPath();
    context.rect(left, y, right - left, height);
    context.clip();
    prepareClips(context, theme, density);
    for (const clip of detailed) drawClipDetails(context, clip);
    drawRanges(surface, scene);
    context.restore();
  }
  raster.limit(0, raster.width);
  tiles.flush();
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
 * @param {number} index of the track
 * @param {{ fromFrame: number, toFrame: number, density: number, detailed: ClipScene[] }} options `detailed` takes the clips that are not done
 *   with that
 * @returns {number} clips that it has painted
 */
function paintTrack(raster, scene, index, { fromFrame, toFrame, density, detailed }) {
  const { view, selection, theme, mirror } = scene;
  const { tracks } = mirror;
  const track = tracks[index];
  const { mute, solo } = track.header;
  const silent = mute || (!solo && tracks.some(({ header }) => header.solo));
  const y = Math.round((view.yOf(index) + CLIP_INSET) * density);
  const height = Math.round((view.trackHeight - 2 * CLIP_INSET - 1) * density);
  const framesPerColumn = view.framesPerPixel / density;
  const plain = silent ? theme.muted : theme.clips[index % theme.clips.length];
  const picked = theme.selected[index % theme.selected.length];
  let painted = -Infinity;
  let count = 0;
  // Half a column: each column that has a clip gets one.
  const step = framesPerColumn / 2;
  const shown = [...track.clips.range(fromFrame, toFrame, step)];
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
    count++;
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
      grouped: clip.groupId !== undefined && mirror.group(clip.groupId).size > 1,
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
  for (const clip of hiddenPicks(scene, track, shown, step, fromFrame, toFrame)) {
    onTop.push(shown.push(clip) - 1);
  }
  for (const at of onTop) paint(at);
  return count;
}

/**
 * Selected clips in what is seen that were left out for others in their column.
 *
 * @param {LaneScene} scene
 * @param {MirroredTrack} track
 * @param {readonly { clipId: string }[]} shown
 * @param {number} step
 * @param {number} fromFrame
 * @param {number} toFrame
 */
function hiddenPicks(scene, track, shown, step, fromFrame, toFrame) {
  const { mirror, selection } = scene;
  const { header: { trackId }, clips } = track;
  if (selection.size === 0 || !clips.thins(step)) return [];
  const there = new Set(shown.map(({ clipId }) => clipId));
  return selection.clips(mirror).filter((clip) =>
    clip.trackId === trackId && !there.has(clip.clipId) &&
    clip.startFrame < toFrame && clipEnd(clip) > fromFrame
  );
}

/**
 * The I/O range, as a tint over the lanes that it reaches.
 *
 * @param {Surface} surface
 * @param {LaneScene} scene
 */
function drawRanges({ context, canvas, density }, { view, mirror, theme, scope }) {
  if (mirror.ioPoints === null) return;
  const from = view.xOf(mirror.ioPoints.inFrame) * density;
  const to = view.xOf(mirror.ioPoints.outFrame) * density;
  if (to < 0 || from > canvas.width) return;
  context.fillStyle = theme.selection;
  // A track that is left out has no part in it.
  let top = 0;
  mirror.tracks.forEach(({ header }, row) => {
    if (scope.reaches(header.trackId)) return;
    const y = Math.round(view.yOf(row) * density);
    context.fillRect(from, top, to - from, Math.max(0, y - top));
    top = Math.max(top, Math.round((view.yOf(row) + view.trackHeight) * density));
  });
  context.fillRect(from, top, to - from, Math.max(0, canvas.height - top));
}

// @ts-check
import { decibels, stem } from "../model/format.js";
import { groupHue } from "../model/groups.js";
import { pipelineText } from "../model/pipelines.js";
import { speedText } from "../model/speed.js";
import { analysedPart, isAway } from "../model/asset_book.js";
import { drawSamples, paintWaveform } from "./waveform.js";

/** @import { Asset, ChangedClip } from "../client/types.js" */
/** @import { PeakTiles } from "../model/peak_tiles.js" */
/** @import { Pipeline } from "../model/pipelines.js" */
/** @import { ClipPaint, Theme } from "../ui/theme.js" */
/** @import { Raster } from "./raster.js" */

/** CSS pixels. */
export const TITLE_HEIGHT = 17;
export const CLIP_INSET = 3;
export const GAIN_HANDLE_WIDTH = 22;
/** What must be seen of a clip for the handle of its gain to be there. */
export const GAIN_HANDLE_ROOM = 90;
const TITLE_FROM_HEIGHT = 44;
const FADE_SEGMENTS = 24;
/** A shorter fade is not seen. */
const LEAST_FADE = 1.5;
const TITLE_PAD = 6;
/** The mark of what is grouped, with the gap behind it. */
const LINK_WIDTH = 16;
/** Less room than this has no text. */
const TITLE_ROOM = 18;
/** Round corners are dear, and on narrow clips not seen. */
const ROUND_FROM = 24;

/**
 * @typedef {object} ClipBox device pixels
 * @property {number} x may lie left of the canvas
 * @property {number} width
 * @property {number} y
 * @property {number} height
 * @property {number} visibleX
 * @property {number} visibleWidth
 */

/**
 * @typedef {object} ClipLook
 * @property {ClipPaint} colours
 * @property {boolean} selected
 * @property {boolean} handles
 */

/** @type {Map<string, number>} text → width in CSS pixels; names repeat far more often than they change */
const measured = new Map();

/**
 * A clip on its way to the screen.
 * @typedef {object} ClipScene
 * @property {ChangedClip} clip
 * @property {Asset | undefined} asset
 * @property {ClipBox} box
 * @property {ClipLook} look
 * @property {PeakTiles} tiles
 * @property {Theme} theme
 * @property {number} framesPerColumn project frames a device pixel
 * @property {number} sampleRate the project's
 * @property {number} density
 * @property {ChangedClip | undefined} before the clip before it on the track
 * @property {number} crossColumns from its start, in which the clip before it still sounds: their crossfade
 * @property {number} coveredFrom where the next clip begins to lie on top
 * @property {number} coveredTo up to where the one before lies on top, because it is selected
 * @property {boolean} grouped with others
 * @property {Pipeline | undefined} pipeline how far its stretched sound is
 */

/**
 * Paints what a clip is made of: body, title band, waveform, edge.
 *
 * @param {Raster} raster
 * @param {ClipScene} scene
 * @param {boolean} edged
 */
export function paintClip(raster, scene, edged) {
  const { asset, box, look, density } = scene;
  const { pixels } = look.colours;
  paintBody(raster, scene);
  if (asset !== undefined && box.visibleWidth >= 1) {
    const paint = isAway(asset) ? pixels.missing : pixels;
    paintWaveform(raster, scene.tiles, asset, stretchOf(scene, asset), paint, density);
  }
  if (edged) paintEdge(raster, box, pixels.edge, look.selected, density);
}

/**
 * What a clip has beside its body, drawn over it.
 *
 * @param {CanvasRenderingContext2D} context as `prepareClips` left it
 * @param {ClipScene} scene
 */
export function drawClipDetails(context, scene) {
  const { asset, box, look, theme, density } = scene;
  const titleHeight = titleHeightOf(scene);
  const inner = insideOf(scene);
  if (asset === undefined || isAway(asset)) {
    drawHatch(context, box, inner, theme, density);
  }
  if (asset !== undefined && box.visibleWidth >= 2) {
    const stretch = stretchOf(scene, asset);
    if (stretch.samplesPerColumn < 1) {
      drawSamples(context, scene.tiles, asset, stretch, look.colours, density);
    }
  }
  drawFades(context, scene, inner);
  drawCross(context, scene, inner);
  if (titleHeight > 0) drawTitle(context, scene, titleHeight);
  if (look.handles && titleHeight > 0) drawHandles(context, scene, inner.y);
}

/**
 * Whether a clip has anything that `drawClipDetails` would draw.
 *
 * @param {ClipScene} scene
 */
export function hasDetails({ clip, asset, box, look, framesPerColumn, density, crossColumns }) {
  return look.handles || crossColumns >= LEAST_FADE * density || asset === undefined ||
    isAway(asset) ||
    box.width >= (TITLE_ROOM + 2 * TITLE_PAD) * density || framesPerColumn < 1 ||
    Math.max(clip.fadeInFrames, clip.fadeOutFrames) >= LEAST_FADE * density * framesPerColumn;
}

/**
 * Sets what all clips of a drawing pass share; setting a font is dear.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Theme} theme
 * @param {number} density
 */
export function prepareClips(context, theme, density) {
  context.font = `500 ${11 * density}px ${theme.font}`;
  context.textBaseline = "middle";
}

/** @param {ClipScene} scene */
function titleHeightOf({ box, density }) {
  return box.height >= TITLE_FROM_HEIGHT * density ? Math.round(TITLE_HEIGHT * density) : 0;
}

/** Where the waveform is. @param {ClipScene} scene */
function insideOf(scene) {
  const { box, density } = scene;
  const titleHeight = titleHeightOf(scene);
  return { y: box.y + titleHeight + density, height: box.height - titleHeight - 2 * density };
}

/**
 * What is seen of a clip's sound.
 *
 * @param {ClipScene} scene
 * @param {Asset} asset
 * @returns {import("./waveform.js").Stretch}
 */
function stretchOf(scene, asset) {
  const { clip, box, framesPerColumn, sampleRate } = scene;
  const samplesPerFrame = (clip.rate * asset.sampleRate) / sampleRate;
  // One that plays backwards begins with the end of what it plays: its right edge has the earliest sample.
  const columnsIn = clip.reverse
    ? clip.lengthFrames / framesPerColumn - (box.visibleX - box.x) - box.visibleWidth
    : box.visibleX - box.x;
  const framesIn = columnsIn * framesPerColumn;
  const { y, height } = insideOf(scene);
  const silent = clip.gainDb === null || (clip.speedMode === "mute" && clip.rate !== 1);
  return {
    x: box.visibleX,
    width: box.visibleWidth,
    y,
    height,
    sample: (clip.sourceFrame / clip.rate + framesIn) * samplesPerFrame,
    samplesPerColumn: framesPerColumn * samplesPerFrame,
    gain: silent ? 0 : 10 ** ((clip.gainDb ?? 0) / 20),
    backwards: clip.reverse ?? false,
  };
}

/** @type {Map<number, number[]>} radius → what `cornersOf` gives */
const corners = new Map();

/**
 * Columns that the round corner takes from each row, from the outside in.
 *
 * @param {ClipBox} box
 * @param {number} density
 */
function cornersOf(box, density) {
  const radius = box.width > ROUND_FROM * density ? 3 * density : 0;
  let rows = corners.get(radius);
  if (rows === undefined) {
    rows = Array.from(
      { length: Math.ceil(radius) },
      (_, row) => Math.round(radius - Math.sqrt(radius ** 2 - (radius - row - 0.5) ** 2)),
    );
    corners.set(radius, rows);
  }
  return rows;
}

/**
 * @param {Raster} raster
 * @param {ClipScene} scene
 */
function paintBody(raster, scene) {
  const { clip, box, look, theme, density } = scene;
  const { pixels } = look.colours;
  const titleHeight = titleHeightOf(scene);
  const corners = cornersOf(box, density);
  const bottom = box.y + box.height;
  const rows = corners.length;
  const slice = (/** @type {number} */ row, /** @type {number} */ corner) => {
    const pixel = row < box.y + titleHeight ? pixels.title : pixels.body;
    raster.fill(box.x + corner, row, box.width - 2 * corner, 1, pixel);
  };
  corners.forEach((corner, row) => {
    slice(box.y + row, corner);
    slice(bottom - 1 - row, corner);
  });
  const middle = Math.max(box.y + rows, box.y + titleHeight);
  raster.fill(box.x, box.y + rows, box.width, middle - box.y - rows, pixels.title);
  raster.fill(box.x, middle, box.width, bottom - rows - middle, pixels.body);
  if (!scene.grouped || clip.groupId === undefined) return;
  // The mark of its group: a line below the title, or at the foot of a flat one.
  const line = Math.max(2, Math.round(2 * density));
  const y = titleHeight > 0 ? box.y + titleHeight - line : bottom - rows - line;
  raster.fill(box.x, y, box.width, line, theme.groups[groupHue(clip.groupId)]);
}

/**
 * @param {Raster} raster
 * @param {ClipBox} box
 * @param {number} pixel
 * @param {boolean} selected
 * @param {number} density
 */
function paintEdge(raster, box, pixel, selected, density) {
  const { x, y, width, height } = box;
  const line = Math.max(1, Math.round(density * (selected ? 1.6 : 1)));
  const corners = cornersOf(box, density);
  const rows = corners.length;
  const first = corners[0] ?? 0;
  raster.fill(x + first, y, width - 2 * first, line, pixel);
  raster.fill(x + first, y + height - line, width - 2 * first, line, pixel);
  raster.fill(x, y + rows, line, height - 2 * rows, pixel);
  raster.fill(x + width - line, y + rows, line, height - 2 * rows, pixel);
  // Around a corner the line is as long as the step that the next row makes.
  for (let row = 1; row < rows; row++) {
    const long = Math.max(line, corners[row - 1] - corners[row] + line - 1);
    for (const at of [y + row, y + height - 1 - row]) {
      raster.fill(x + corners[row], at, long, 1, pixel);
      raster.fill(x + width - corners[row] - long, at, long, 1, pixel);
    }
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {ClipBox} box
 * @param {{ y: number, height: number }} inner
 * @param {Theme} theme
 * @param {number} density
 */
function drawHatch(context, box, inner, theme, density) {
  context.save();
  context.beginPath();
  context.rect(box.visibleX, inner.y, box.visibleWidth, inner.height);
  context.clip();
  context.strokeStyle = theme.shade;
  context.lineWidth = 3 * density;
  context.beginPath();
  const step = 10 * density;
  const from = box.visibleX - inner.height - ((box.visibleX - box.x) % step);
  for (let x = from; x < box.visibleX + box.visibleWidth; x += step) {
    context.moveTo(x, inner.y + inner.height);
    context.lineTo(x + inner.height, inner.y);
  }
  context.stroke();
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {ClipScene} scene
 * @param {{ y: number, height: number }} inner
 */
function drawFades(context, { clip, box, look, theme, framesPerColumn, density }, inner) {
  for (const side of /** @type {const} */ (["in", "out"])) {
    const frames = side === "in" ? clip.fadeInFrames : clip.fadeOutFrames;
    const width = frames / framesPerColumn;
    if (width < LEAST_FADE * density) continue;
    const shape = (side === "in" ? clip.fadeInShape : clip.fadeOutShape) ?? "linear";
    const from = side === "in" ? box.x : box.x + box.width;
    const way = side === "in" ? 1 : -1;
    const bottom = inner.y + inner.height;
    context.beginPath();
    context.moveTo(from, bottom);
    for (let step = 1; step <= FADE_SEGMENTS; step++) {
      const part = step / FADE_SEGMENTS;
      const gain = shape === "linear" ? part : Math.sin((part * Math.PI) / 2);
      context.lineTo(from + way * part * width, bottom - gain * inner.height);
    }
    context.strokeStyle = look.colours.text;
    context.lineWidth = density;
    context.globalAlpha = 0.7;
    context.stroke();
    context.globalAlpha = 1;
    context.lineTo(from, inner.y);
    context.closePath();
    context.fillStyle = theme.shade;
    context.fill();
  }
}

/**
 * Where two clips sound together: the one before goes as this one comes.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {ClipScene} scene
 * @param {{ y: number, height: number }} inner
 */
function drawCross(context, { clip, before, box, look, crossColumns, density }, inner) {
  if (crossColumns < LEAST_FADE * density) return;
  context.strokeStyle = look.colours.text;
  context.lineWidth = density;
  context.globalAlpha = 0.8;
  context.beginPath();
  for (const rises of [true, false]) {
    for (let step = 0; step <= FADE_SEGMENTS; step++) {
      const part = step / FADE_SEGMENTS;
      const along = rises ? part : 1 - part;
      const shape = rises ? clip.fadeInShape : before?.fadeOutShape;
      const gain = (shape ?? "linear") === "linear" ? along : Math.sin((along * Math.PI) / 2);
      const x = box.x + part * crossColumns;
      const y = inner.y + (1 - gain) * inner.height;
      if (step === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
  }
  context.stroke();
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {ClipScene} scene
 * @param {number} titleHeight
 */
function drawTitle(context, scene, titleHeight) {
  const { clip, asset, box, look, density, coveredFrom, coveredTo } = scene;
  const pad = TITLE_PAD * density;
  const x = Math.max(box.x, box.visibleX, coveredTo) + pad;
  const right = Math.min(box.x + box.width, box.visibleX + box.visibleWidth, coveredFrom) - pad;
  if (right - x < TITLE_ROOM * density) return;
  const badge = drawBadge(context, scene, titleHeight, x, right);
  const link = scene.grouped ? LINK_WIDTH * density : 0;
  const room = right - x - badge - link;
  if (room < TITLE_ROOM * density) return;
  if (link > 0) drawLink(context, x, box.y + titleHeight / 2, look.colours.text, density);
  const name = clip.name ?? stem(asset?.path ?? "Unknown file");
  const gain = clip.gainDb === 0 ? "" : `  ${decibels(clip.gainDb)} dB`;
  const state = asset === undefined || isAway(asset)
    ? `  ·  ${asset?.offlineStatus ?? "missing"}`
    : analysedPart(asset) < 1
    ? `  ·  ${Math.floor(analysedPart(asset) * 100)} %`
    : "";
  context.fillStyle = look.colours.text;
  context.fillText(
    fitText(context, name + gain + state, room / density, density),
    x + link,
    box.y + titleHeight / 2 + density * 0.5,
  );
}

/**
 * Two rings of a chain, before the name of what is grouped.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} middle
 * @param {string} colour
 * @param {number} density
 */
function drawLink(context, x, middle, colour, density) {
  context.strokeStyle = colour;
  context.lineWidth = 1.2 * density;
  context.beginPath();
  for (const at of [0, 4.5]) {
    context.roundRect(
      x + at * density,
      middle - 2.6 * density,
      6.5 * density,
      4.6 * density,
      2.3 * density,
    );
  }
  context.stroke();
}

/**
 * At the right of the title: at what speed a clip plays, and how far its stretched sound is.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {ClipScene} scene
 * @param {number} titleHeight
 * @param {number} left
 * @param {number} right
 * @returns {number} what it takes of the room, in device pixels
 */
function drawBadge(
  context,
  { clip, box, look, theme, density, pipeline },
  titleHeight,
  left,
  right,
) {
  const speed = speedText(clip);
  if (speed === "") return 0;
  const text = [speed, pipelineText(clip, pipeline)].filter(Boolean).join("  ");
  const pad = 4 * density;
  const width = widthOf(context, text, density) * density + 2 * pad;
  if (width > right - left) return 0;
  const height = titleHeight - 5 * density;
  const y = box.y + 2.5 * density;
  const failed = pipeline?.state === "failed" && clip.speedMode === "maintainPitch";
  context.fillStyle = failed ? theme.error : look.colours.text;
  context.globalAlpha = failed ? 0.9 : 0.16;
  context.beginPath();
  context.roundRect(right - width, y, width, height, 3 * density);
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = failed ? theme.panel : look.colours.text;
  context.fillText(text, right - width + pad, y + height / 2 + density * 0.5);
  return width + pad;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} density
 * @returns {number} CSS pixels
 */
function widthOf(context, text, density) {
  let width = measured.get(text);
  if (width === undefined) {
    if (measured.size > 5000) measured.clear();
    width = context.measureText(text).width / density;
    measured.set(text, width);
  }
  return width;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} room CSS pixels
 * @param {number} density
 */
function fitText(context, text, room, density) {
  const width = widthOf(context, text, density);
  if (width <= room) return text;
  const guess = Math.max(1, Math.floor((text.length * room) / width) - 1);
  return `${text.slice(0, guess)}…`;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {ClipScene} scene
 * @param {number} y
 */
function drawHandles(context, { clip, box, look, framesPerColumn, theme, density }, y) {
  if (box.width < 40 * density) return;
  const centres = [
    box.x + Math.max(5 * density, clip.fadeInFrames / framesPerColumn),
    box.x + box.width - Math.max(5 * density, clip.fadeOutFrames / framesPerColumn),
  ];
  context.lineWidth = 1.5 * density;
  context.strokeStyle = theme.lane;
  context.fillStyle = look.colours.text;
  for (const x of centres) {
    context.beginPath();
    context.arc(x, y + 3 * density, 4 * density, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
  if (box.visibleWidth < GAIN_HANDLE_ROOM * density) return;
  const width = GAIN_HANDLE_WIDTH * density;
  context.beginPath();
  context.roundRect(
    box.visibleX + (box.visibleWidth - width) / 2,
    y + density,
    width,
    4 * density,
    2 * density,
  );
  context.fill();
  context.stroke();
}

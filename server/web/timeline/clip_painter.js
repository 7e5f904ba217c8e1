// @ts-check
import { decibels, stem } from "../model/format.js";
import { drawWaveform } from "./waveform.js";

/** @import { Asset, ChangedClip } from "../client/types.js" */
/** @import { PeakTiles } from "../model/peak_tiles.js" */
/** @import { ClipColours, Theme } from "../ui/theme.js" */

/** CSS pixels. */
export const TITLE_HEIGHT = 17;
export const CLIP_INSET = 3;
const TITLE_FROM_HEIGHT = 44;
const FADE_SEGMENTS = 24;
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
 * @property {ClipColours} colours
 * @property {boolean} selected
 * @property {boolean} handles
 */

/** @type {Map<string, number>} text → width in CSS pixels; names repeat far more often than they change */
const measured = new Map();

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

/**
 * @param {CanvasRenderingContext2D} context
 * @param {object} scene
 * @param {ChangedClip} scene.clip
 * @param {Asset | undefined} scene.asset
 * @param {ClipBox} scene.box
 * @param {ClipLook} scene.look
 * @param {PeakTiles} scene.tiles
 * @param {Theme} scene.theme
 * @param {number} scene.framesPerColumn project frames a device pixel
 * @param {number} scene.sampleRate the project's
 * @param {number} scene.density
 */
export function drawClip(context, scene) {
  const { clip, asset, box, look, theme, density } = scene;
  const { colours } = look;
  const titled = box.height >= TITLE_FROM_HEIGHT * density;
  const titleHeight = titled ? Math.round(TITLE_HEIGHT * density) : 0;
  const radius = box.width > ROUND_FROM * density ? 3 * density : 0;
  context.fillStyle = colours.body;
  fillBox(context, box.x, box.y, box.width, box.height, radius, radius);
  if (titled) {
    context.fillStyle = colours.title;
    fillBox(context, box.x, box.y, box.width, titleHeight, radius, 0);
  }
  const inner = {
    y: box.y + titleHeight + density,
    height: box.height - titleHeight - 2 * density,
  };
  const missing = asset === undefined || asset.offlineStatus !== "present";
  if (missing) drawHatch(context, box, inner, theme, density);
  if (asset !== undefined && box.visibleWidth >= 2) {
    const samplesPerFrame = (clip.rate * asset.sampleRate) / scene.sampleRate;
    const framesIn = (box.visibleX - box.x) * scene.framesPerColumn;
    const spp = scene.framesPerColumn * samplesPerFrame;
    if (missing) context.globalAlpha = 0.35;
    drawWaveform(
      context,
      scene.tiles,
      asset,
      {
        x: box.visibleX,
        width: box.visibleWidth,
        y: inner.y,
        height: inner.height,
        sample: (clip.sourceFrame / clip.rate + framesIn) * samplesPerFrame,
        samplesPerColumn: spp,
        gain: clip.gainDb === null ? 0 : 10 ** (clip.gainDb / 20),
      },
      colours,
      density,
    );
    context.globalAlpha = 1;
  }
  drawFades(context, scene, inner);
  if (titled) drawTitle(context, scene, titleHeight);
  drawEdge(context, box, look, radius, density);
  if (look.handles && titled) drawHandles(context, scene, inner.y);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 * @param {number} top radius
 * @param {number} bottom radius
 */
function fillBox(context, x, y, width, height, top, bottom) {
  if (top === 0 && bottom === 0) return context.fillRect(x, y, width, height);
  context.beginPath();
  context.roundRect(x, y, width, height, [top, top, bottom, bottom]);
  context.fill();
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
 * @param {Parameters<typeof drawClip>[1]} scene
 * @param {{ y: number, height: number }} inner
 */
function drawFades(context, { clip, box, look, theme, framesPerColumn, density }, inner) {
  for (const side of /** @type {const} */ (["in", "out"])) {
    const frames = side === "in" ? clip.fadeInFrames : clip.fadeOutFrames;
    const width = frames / framesPerColumn;
    if (width < 1.5 * density) continue;
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
 * @param {CanvasRenderingContext2D} context
 * @param {Parameters<typeof drawClip>[1]} scene
 * @param {number} titleHeight
 */
function drawTitle(context, { clip, asset, box, look, density }, titleHeight) {
  const pad = 6 * density;
  const x = Math.max(box.x, box.visibleX) + pad;
  const room = box.x + box.width - pad - x;
  if (room < 18 * density) return;
  const name = clip.name ?? stem(asset?.path ?? "Unknown file");
  const gain = clip.gainDb === 0 ? "" : `  ${decibels(clip.gainDb)} dB`;
  const state = asset === undefined || asset.offlineStatus === "present"
    ? ""
    : `  ·  ${asset.offlineStatus}`;
  context.fillStyle = look.colours.text;
  context.fillText(
    fitText(context, name + gain + state, room / density, density),
    x,
    box.y + titleHeight / 2 + density * 0.5,
  );
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} room CSS pixels
 * @param {number} density
 */
function fitText(context, text, room, density) {
  let width = measured.get(text);
  if (width === undefined) {
    if (measured.size > 5000) measured.clear();
    width = context.measureText(text).width / density;
    measured.set(text, width);
  }
  if (width <= room) return text;
  const guess = Math.max(1, Math.floor((text.length * room) / width) - 1);
  return `${text.slice(0, guess)}…`;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {ClipBox} box
 * @param {ClipLook} look
 * @param {number} radius
 * @param {number} density
 */
function drawEdge(context, box, look, radius, density) {
  const line = look.selected ? 1.5 * density : density;
  context.strokeStyle = look.colours.edge;
  context.lineWidth = line;
  const width = Math.max(1, box.width - line);
  if (radius === 0) {
    context.strokeRect(box.x + line / 2, box.y + line / 2, width, box.height - line);
    return;
  }
  context.beginPath();
  context.roundRect(box.x + line / 2, box.y + line / 2, width, box.height - line, radius);
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Parameters<typeof drawClip>[1]} scene
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
}

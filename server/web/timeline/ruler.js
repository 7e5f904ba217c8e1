// @ts-check
import { drawReadiness, STRIP_HEIGHT } from "./readiness_strip.js";

/** @import { LaneScene } from "./lanes.js" */
/** @import { Surface } from "./surface.js" */

/** CSS pixels: the band at the top that holds loop, I/O points and markers. */
export const BAND_HEIGHT = 13;

/**
 * Where the flag of a marker is, in CSS pixels.
 * @typedef {{ markerId: string, x: number, width: number }} MarkerBox
 */

/**
 * @param {Surface} surface
 * @param {LaneScene} scene
 * @returns {MarkerBox[]}
 */
export function drawRuler(surface, scene) {
  const { context, canvas, density } = surface;
  const { theme } = scene;
  context.fillStyle = theme.panel;
  context.fillRect(0, 0, canvas.width, canvas.height);
  drawBand(surface, scene);
  drawTicks(surface, scene);
  const boxes = drawMarkers(surface, scene);
  drawReadiness(surface, scene);
  context.fillStyle = theme.lineStrong;
  context.fillRect(0, canvas.height - Math.round(density), canvas.width, Math.round(density));
  return boxes;
}

/**
 * @param {Surface} surface
 * @param {LaneScene} scene
 */
function drawTicks({ context, canvas, density }, { view, theme, grid }) {
  const { stepFrames, parts, label } = grid;
  const minor = stepFrames / parts;
  const first = Math.floor(view.scrollFrame / stepFrames) * parts;
  const last = Math.ceil(view.endVisibleFrame / minor);
  const line = Math.round(density);
  const foot = canvas.height - line - Math.round(STRIP_HEIGHT * density);
  context.font = `${10.5 * density}px ${theme.font}`;
  context.textBaseline = "alphabetic";
  for (let tick = first; tick <= last; tick++) {
    const frame = tick * minor;
    const x = Math.round(view.xOf(frame) * density);
    const major = tick % parts === 0;
    context.fillStyle = major ? theme.faint : theme.lineStrong;
    const length = Math.round((major ? 15 : 5) * density);
    context.fillRect(x, foot - length, line, length);
    if (!major) continue;
    context.fillStyle = theme.dim;
    context.fillText(label(frame), x + 5 * density, foot - 5 * density);
  }
}

/**
 * @param {Surface} surface
 * @param {LaneScene} scene
 */
function drawBand({ context, canvas, density }, { view, mirror, theme, loop }) {
  const height = Math.round(BAND_HEIGHT * density);
  context.fillStyle = theme.lane;
  context.fillRect(0, 0, canvas.width, height);
  if (loop !== null && loop.endFrame > loop.startFrame) {
    const from = Math.round(view.xOf(loop.startFrame) * density);
    const to = Math.round(view.xOf(loop.endFrame) * density);
    context.globalAlpha = loop.enabled ? 1 : 0.28;
    context.fillStyle = theme.accent;
    const y = Math.round(2 * density);
    context.beginPath();
    context.roundRect(
      from,
      y,
      Math.max(2 * density, to - from),
      Math.round(4 * density),
      2 * density,
    );
    context.fill();
    context.globalAlpha = 1;
  }
  if (mirror.ioPoints === null) return;
  const from = Math.round(view.xOf(mirror.ioPoints.inFrame) * density);
  const to = Math.round(view.xOf(mirror.ioPoints.outFrame) * density);
  context.fillStyle = theme.selection;
  context.fillRect(from, 0, to - from, canvas.height);
  context.fillStyle = theme.text;
  bracket(context, from, 1, height, density);
  bracket(context, to, -1, height, density);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {1 | -1} way
 * @param {number} height
 * @param {number} density
 */
function bracket(context, x, way, height, density) {
  const line = Math.round(2 * density);
  const foot = Math.round(5 * density);
  context.fillRect(way > 0 ? x : x - line, 0, line, height);
  context.fillRect(way > 0 ? x : x - foot, 0, foot, line);
  context.fillRect(way > 0 ? x : x - foot, height - line, foot, line);
}

/**
 * @param {Surface} surface
 * @param {LaneScene} scene
 * @returns {MarkerBox[]}
 */
function drawMarkers({ context, canvas, density }, { view, mirror, theme }) {
  context.font = `500 ${9.5 * density}px ${theme.font}`;
  context.textBaseline = "middle";
  /** @type {MarkerBox[]} */
  const boxes = [];
  for (const { markerId, frame, name } of mirror.markers) {
    const x = Math.round(view.xOf(frame) * density);
    if (x < -200 * density || x > canvas.width) continue;
    context.fillStyle = theme.warn;
    context.fillRect(x, 0, Math.round(density), canvas.height);
    const width = context.measureText(name).width + 8 * density;
    context.beginPath();
    context.roundRect(x, 0, width, BAND_HEIGHT * density, [0, 3 * density, 3 * density, 0]);
    context.fill();
    context.fillStyle = theme.panel;
    context.fillText(name, x + 4 * density, (BAND_HEIGHT / 2 + 0.5) * density);
    boxes.push({ markerId, x: x / density, width: width / density });
  }
  return boxes;
}

// @ts-check
import { meterPosition } from "../model/meters.js";

/** @import { Ballistics } from "../model/meters.js" */
/** @import { Theme } from "./theme.js" */

/** Full scale: what is above is drawn as too loud. */
const WARM_DB = -12;
const HOT_DB = -3;

/**
 * A level meter, one bar a channel, from the bottom up or from left to right.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {readonly Ballistics[]} channels
 * @param {Theme} theme
 * @param {"up" | "right"} way
 */
export function drawStrip(canvas, channels, theme, way) {
  const density = devicePixelRatio;
  const width = Math.round(canvas.clientWidth * density);
  const height = Math.round(canvas.clientHeight * density);
  if (width === 0 || height === 0) return;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.clearRect(0, 0, width, height);
  const bars = Math.max(2, channels.length);
  const gap = Math.max(1, Math.round(density));
  const across = way === "up" ? width : height;
  const along = way === "up" ? height : width;
  const thick = Math.max(1, Math.floor((across - gap * (bars - 1)) / bars));
  /** @param {number} bar @param {number} from @param {number} to @param {string} colour */
  const paint = (bar, from, to, colour) => {
    if (to <= from) return;
    const at = bar * (thick + gap);
    context.fillStyle = colour;
    if (way === "up") context.fillRect(at, along - to, thick, to - from);
    else context.fillRect(from, at, to - from, thick);
  };
  const warm = Math.round(meterPosition(WARM_DB) * along);
  const hot = Math.round(meterPosition(HOT_DB) * along);
  for (let bar = 0; bar < bars; bar++) {
    paint(bar, 0, along, theme.meterTrack);
    const channel = channels[Math.min(bar, channels.length - 1)];
    if (channel === undefined) continue;
    const level = Math.round(meterPosition(channel.levelDb) * along);
    paint(bar, 0, Math.min(level, warm), theme.meterCool);
    paint(bar, warm, Math.min(level, hot), theme.meterWarm);
    paint(bar, hot, level, theme.meterHot);
    if (channel.clipped) paint(bar, along - Math.round(3 * density), along, theme.meterHot);
    const hold = Math.round(meterPosition(channel.holdDb) * along);
    const line = Math.max(1, Math.round(1.5 * density));
    if (hold > line) {
      paint(bar, hold - line, hold, hold > hot ? theme.meterHot : theme.text);
    }
  }
}

// @ts-check
import { writeTime } from "../model/time_format.js";

/** @import { App } from "../app.js" */
/** @import { ReadyRun } from "../model/ready_runs.js" */
/** @import { LaneScene } from "./lanes.js" */
/** @import { Surface } from "./surface.js" */

/** CSS pixels, at the foot of the ruler. */
export const STRIP_HEIGHT = 3;
/** What is hatched or a warning is seen however short it is. */
const LEAST_WIDTH = 2;
/** Of a hatching's lines from each other, in CSS pixels. */
const HATCH = 4;
/** Stretches that a text names. */
const MOST_NAMED = 3;

/** @type {{ key: string, pattern: CanvasPattern | string }} */
const hatching = { key: "", pattern: "" };

/**
 * Where playback would begin at once, where it would have to read first, where it would be silent.
 *
 * @param {Surface} surface the ruler's
 * @param {LaneScene} scene
 */
export function drawReadiness({ context, canvas, density }, { view, theme, readiness }) {
  const height = Math.round(STRIP_HEIGHT * density);
  const y = canvas.height - Math.round(density) - height;
  const pending = hatch(context, theme.faint, theme.panel, density);
  const least = Math.round(LEAST_WIDTH * density);
  for (const state of /** @type {const} */ (["instant", "pending", "offline"])) {
    context.beginPath();
    context.fillStyle = { instant: theme.ready, pending, offline: theme.error }[state];
    for (const { startFrame, endFrame, state: own } of readiness) {
      if (own !== state || endFrame <= view.scrollFrame) continue;
      if (startFrame >= view.endVisibleFrame) break;
      const x = Math.max(0, Math.round(view.xOf(startFrame) * density));
      const right = Math.min(canvas.width, Math.round(view.xOf(endFrame) * density));
      context.rect(x, y, Math.max(right - x, state === "instant" ? 0 : least), height);
    }
    context.fill();
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} line
 * @param {string} ground
 * @param {number} density
 * @returns {CanvasPattern | string}
 */
function hatch(context, line, ground, density) {
  const key = `${line}/${ground}/${density}`;
  if (key === hatching.key) return hatching.pattern;
  const size = Math.max(2, Math.round(HATCH * density));
  const tile = new OffscreenCanvas(size, size);
  const own = tile.getContext("2d");
  if (own === null) return line;
  own.fillStyle = ground;
  own.fillRect(0, 0, size, size);
  own.fillStyle = line;
  const width = Math.max(1, Math.round(size / 2));
  for (let y = 0; y < size; y++) {
    // A line that slants, and comes in again on the other side.
    own.fillRect(y, size - 1 - y, width, 1);
    own.fillRect(y - size, size - 1 - y, width, 1);
  }
  hatching.key = key;
  hatching.pattern = context.createPattern(tile, "repeat") ?? line;
  return hatching.pattern;
}

/**
 * What the strip shows at a place, for a tooltip; "" where nothing is known.
 *
 * @param {App} app
 * @param {number} frame
 */
export function readinessAt({ readiness, session }, frame) {
  const found = readiness.at(frame);
  if (found === null) return "";
  const names = (/** @type {string[]} */ trackIds) => {
    const all = trackIds.map((trackId) => session.mirror.track(trackId)?.header.name || "a track");
    const shown = all.slice(0, MOST_NAMED).join(", ");
    return all.length > MOST_NAMED ? `${shown} and ${all.length - MOST_NAMED} more` : shown;
  };
  return [
    found.offline.length > 0 ? `Silent here: the file is away (${names(found.offline)})` : "",
    found.pending.length > 0 ? `Must be read first (${names(found.pending)})` : "",
    found.state === "instant" ? "Plays at once" : "",
  ].filter(Boolean).join("\n");
}

/**
 * What the strip shows of the view, in words.
 *
 * @param {App} app
 */
export function describeReadiness({ readiness, session, view, timeFormat }) {
  const from = view.scrollFrame;
  const to = Math.min(view.endVisibleFrame, view.endFrame);
  const seen = readiness.runs.filter((run) => run.endFrame > from && run.startFrame < to);
  if (seen.length === 0) return "";
  const time = (/** @type {number} */ frame) =>
    writeTime(Math.round(Math.min(to, Math.max(from, frame))), session.mirror, timeFormat);
  const list = (/** @type {ReadyRun[]} */ runs) => {
    const shown = runs.slice(0, MOST_NAMED)
      .map(({ startFrame, endFrame }) => `${time(startFrame)} to ${time(endFrame)}`).join(", ");
    return runs.length > MOST_NAMED
      ? `${shown} and ${runs.length - MOST_NAMED} more places`
      : shown;
  };
  const of = (/** @type {ReadyRun["state"]} */ state) => seen.filter((run) => run.state === state);
  const [pending, offline] = [of("pending"), of("offline")];
  if (pending.length + offline.length === 0) return "All that is seen plays at once.";
  return [
    offline.length > 0 ? `Silent, because a file is away: ${list(offline)}.` : "",
    pending.length > 0 ? `Must be read first: ${list(pending)}.` : "",
    of("instant").length > 0 ? "The rest plays at once." : "",
  ].filter(Boolean).join(" ");
}

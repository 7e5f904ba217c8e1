// @ts-check
import { clipEnd } from "../model/edits.js";
import { openMenuAt } from "../ui/menu.js";
import { fadeGesture } from "./gestures/fade.js";
import { marqueeGesture } from "./gestures/marquee.js";
import { moveGesture } from "./gestures/move.js";
import { loopGesture, rangeGesture } from "./gestures/range.js";
import { seekGesture } from "./gestures/seek.js";
import { trimGesture } from "./gestures/trim.js";
import { hitTest } from "./hit.js";
import { overviewSpan } from "./overview.js";
import { trackPointer } from "./pointer.js";
import { BAND_HEIGHT } from "./ruler.js";

/** @import { App } from "../app.js" */
/** @import { Point } from "./gestures/types.js" */

const CURSORS = {
  body: "default",
  start: "ew-resize",
  end: "ew-resize",
  fadeIn: "ew-resize",
  fadeOut: "ew-resize",
};
const GRAB_PX = 6;

/**
 * What the pointer does in the lanes.
 *
 * @param {App} app
 * @param {HTMLElement} element
 */
export function lanePointer(app, element) {
  const { session, selection, view } = app;
  const hit = (/** @type {Point} */ { x, y }) =>
    hitTest(session.mirror, view, x, y, (clipId) => selection.has(clipId));
  trackPointer(app, element, {
    hover(point) {
      const found = hit(point);
      app.timeline.hover(found?.clip.clipId ?? null);
      return found === null ? "default" : CURSORS[found.zone];
    },
    leave: () => app.timeline.hover(null),
    begin(point) {
      const found = hit(point);
      if (found === null) return marqueeGesture(app, point);
      const { clip, zone } = found;
      selection.setTrack(clip.trackId);
      if (zone === "body" && point.extend) {
        selection.toggle(clip.clipId);
        return null;
      }
      const wasSelected = selection.has(clip.clipId);
      if (!wasSelected) selection.set([clip.clipId]);
      if (zone === "start" || zone === "end") return trimGesture(app, point, { ...clip }, zone);
      if (zone === "fadeIn" || zone === "fadeOut") {
        return fadeGesture(app, point, { ...clip }, zone);
      }
      return moveGesture(app, point, () => selection.set([clip.clipId]));
    },
  });
  element.addEventListener("dblclick", (event) => {
    const box = element.getBoundingClientRect();
    const found = hitTest(
      session.mirror,
      view,
      event.clientX - box.left,
      event.clientY - box.top,
      (clipId) => selection.has(clipId),
    );
    if (found === null) return;
    view.show(found.clip.startFrame, clipEnd(found.clip));
    app.timeline.viewChanged();
  });
  element.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    const box = element.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    const found = hitTest(session.mirror, view, x, y, (clipId) => selection.has(clipId));
    if (found !== null && !selection.has(found.clip.clipId)) selection.set([found.clip.clipId]);
    const commands = found === null ? ["edit.undo", "edit.redo", "view.fit"] : [
      "edit.split",
      "edit.deleteRipple",
      "edit.deleteLift",
      "edit.duplicate",
      "edit.fadeShape",
      "range.loop",
      "view.selection",
    ];
    openMenuAt(event.clientX, event.clientY, app.commands.menu(commands));
  });
}

/**
 * The ruler: in the upper band the loop is moved, elsewhere the playhead; with Shift a drag sets the I/O points.
 *
 * @param {App} app
 * @param {HTMLElement} element
 */
export function rulerPointer(app, element) {
  const { session, view } = app;

  /** @param {Point} point @returns {"in" | "out" | "loopStart" | "loopEnd" | "loop" | null} */
  const partAt = ({ x, y }) => {
    const io = session.mirror.ioPoints;
    if (y > BAND_HEIGHT) return null;
    const near = (/** @type {number} */ frame) => Math.abs(view.xOf(frame) - x) <= GRAB_PX;
    if (io !== null && near(io.inFrame)) return "in";
    if (io !== null && near(io.outFrame)) return "out";
    const loop = session.transport?.loop;
    if (loop === undefined || loop.endFrame <= loop.startFrame) return null;
    if (near(loop.startFrame)) return "loopStart";
    if (near(loop.endFrame)) return "loopEnd";
    const frame = view.frameAt(x);
    return frame > loop.startFrame && frame < loop.endFrame ? "loop" : null;
  };
  trackPointer(app, element, {
    hover(point) {
      const part = partAt(point);
      return part === null ? "default" : part === "loop" ? "grab" : "ew-resize";
    },
    begin(point) {
      const io = session.mirror.ioPoints;
      const part = partAt(point);
      if (io !== null && part === "in") return rangeGesture(app, io.outFrame);
      if (io !== null && part === "out") return rangeGesture(app, io.inFrame);
      if (part === "loop") return loopGesture(app, point, "both");
      if (part === "loopStart") return loopGesture(app, point, "start");
      if (part === "loopEnd") return loopGesture(app, point, "end");
      return point.extend ? rangeGesture(app, point.frame) : seekGesture(app, point);
    },
  });
}

/**
 * The overview: brings the clicked place into the middle, a drag goes on from there.
 *
 * @param {App} app
 * @param {HTMLElement} element
 */
export function overviewPointer(app, element) {
  const { view } = app;
  /** @type {{ perPx: number, grabPx: number } | null} */
  let grip = null;
  const place = (/** @type {PointerEvent} */ event) => {
    if (grip === null) return;
    const x = event.clientX - element.getBoundingClientRect().left;
    view.scrollFrame = (x - grip.grabPx) * grip.perPx;
    view.clamp();
    app.timeline.viewChanged();
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    const box = element.getBoundingClientRect();
    const perPx = overviewSpan(view) / box.width;
    const x = event.clientX - box.left;
    const from = view.scrollFrame / perPx;
    const width = (view.width * view.framesPerPixel) / perPx;
    grip = { perPx, grabPx: x >= from && x <= from + width ? x - from : width / 2 };
    place(event);
  });
  element.addEventListener("pointermove", place);
  element.addEventListener("pointerup", () => grip = null);
  element.addEventListener("pointercancel", () => grip = null);
}

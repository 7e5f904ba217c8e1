// @ts-check
import { clipEnd } from "../model/edits.js";
import { segmentOf, wholeSegments } from "../model/groups.js";
import { stem } from "../model/format.js";
import { askText } from "../ui/ask.js";
import { openMenuAt } from "../ui/menu.js";
import { fadeGesture } from "./gestures/fade.js";
import { marqueeGesture } from "./gestures/marquee.js";
import { moveGesture } from "./gestures/move.js";
import { drawLoopGesture, loopGesture } from "./gestures/loop.js";
import { gainGesture } from "./gestures/gain.js";
import { markerGesture } from "./gestures/marker.js";
import { rangeGesture } from "./gestures/range.js";
import { seekGesture } from "./gestures/seek.js";
import { razorGesture, showRazor } from "./gestures/razor.js";
import { reorderGesture } from "./gestures/reorder.js";
import { slipGesture } from "./gestures/slip.js";
import { rippleTrimGesture, stretchGesture, trimGesture } from "./gestures/trim.js";
import { hitTest } from "./hit.js";
import { overviewSpan } from "./overview.js";
import { trackPointer } from "./pointer.js";
import { readinessAt } from "./readiness_strip.js";
import { BAND_HEIGHT } from "./ruler.js";

/** @import { App } from "../app.js" */
/** @import { ChangedClip, Marker } from "../client/types.js" */
/** @import { MenuItem } from "../ui/menu.js" */
/** @import { Point } from "./gestures/types.js" */
/** @import { Hit } from "./hit.js" */

const CURSORS = {
  body: "default",
  start: "ew-resize",
  end: "ew-resize",
  fadeIn: "ew-resize",
  fadeOut: "ew-resize",
  gain: "ns-resize",
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
  const hit = (/** @type {{ x: number, y: number }} */ { x, y }) =>
    hitTest(session.mirror, view, x, y, (clipId) => selection.has(clipId));
  /** @param {Point} point @param {Hit | null} found */
  const cursorAt = (point, found) => {
    if (found === null) return "default";
    const { zone } = found;
    if (zone === "start" || zone === "end") {
      return point.mod ? zone === "start" ? "w-resize" : "e-resize" : CURSORS[zone];
    }
    if (zone !== "body") return CURSORS[zone];
    return point.mod ? point.free ? "ew-resize" : "copy" : point.shift ? "grab" : "default";
  };
  trackPointer(app, element, {
    hover(point) {
      const found = hit(point);
      app.timeline.hover(found?.clip.clipId ?? null);
      if (app.tool !== "razor") return cursorAt(point, found);
      showRazor(app, point, found?.clip ?? null);
      return "crosshair";
    },
    leave() {
      app.timeline.hover(null);
      if (app.tool === "razor") app.timeline.showSnap(null);
    },
    begin(point) {
      const found = hit(point);
      if (app.tool === "razor") return razorGesture(app, found?.clip ?? null);
      if (found === null) return marqueeGesture(app, point);
      const { clip, zone } = found;
      selection.setTrack(clip.trackId);
      if (zone === "body" && point.shift && !point.mod) {
        return reorderGesture(app, point, { ...clip }, () => {
          selection.extendTo(session.mirror, clip.clipId);
          selection.set(wholeSegments(session.mirror, selection.clipIds));
        });
      }
      // With Alt a clip stands for itself, whatever it is grouped with.
      const alone = point.free && !point.mod && clip.groupId !== undefined &&
        (zone === "body" || zone === "start" || zone === "end");
      const segment = alone ? [clip.clipId] : segmentOf(session.mirror, clip);
      const wasSelected = selection.has(clip.clipId);
      if (alone || (!wasSelected && !point.mod)) selection.choose(clip.clipId, segment);
      if (zone === "start" || zone === "end") {
        if (!wasSelected) selection.choose(clip.clipId, segment);
        const gesture = point.mod ? rippleTrimGesture : point.shift ? stretchGesture : trimGesture;
        return gesture(app, point, { ...clip }, zone);
      }
      if (zone === "fadeIn" || zone === "fadeOut") {
        return fadeGesture(app, point, { ...clip }, zone);
      }
      if (zone === "gain") return gainGesture(app, point, { ...clip });
      if (point.mod && point.free) return slipGesture(app, point, { ...clip });
      if (!point.mod) {
        const clicked = () => selection.choose(clip.clipId, segment);
        return moveGesture(app, point, { copies: false, clicked });
      }
      // A click adds or takes away; a drag copies what is then selected.
      if (!wasSelected) selection.toggle(clip.clipId, segment);
      const clicked = () => wasSelected && selection.toggle(clip.clipId, segment);
      return moveGesture(app, point, { copies: true, clicked });
    },
  });
  element.addEventListener("dblclick", (event) => {
    const found = hit(placeIn(element, event));
    if (found === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const { clip, zone } = found;
    if (zone === "gain") {
      const edits = [{
        op: /** @type {const} */ ("clip.set"),
        clipId: clip.clipId,
        set: { gainDb: 0 },
      }];
      session.edit(edits, { label: "Reset gain" });
      return;
    }
    view.show(clip.startFrame, clipEnd(clip));
    app.timeline.viewChanged();
  });
  element.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    const at = placeIn(element, event);
    const found = hit(at);
    if (found !== null && !selection.has(found.clip.clipId)) {
      selection.choose(found.clip.clipId, segmentOf(session.mirror, found.clip));
    }
    openMenuAt(
      event.clientX,
      event.clientY,
      found === null ? laneMenu(app, at) : clipMenu(app, found.clip, event),
      element.querySelector("canvas") ?? undefined,
    );
  });
}

/**
 * @param {HTMLElement} element
 * @param {MouseEvent} event
 */
function placeIn(element, event) {
  const box = element.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

/**
 * @param {App} app
 * @param {{ x: number, y: number }} at
 * @returns {MenuItem[]}
 */
function laneMenu(app, { x, y }) {
  const { session, view, selection, commands } = app;
  const track = session.mirror.tracks[view.trackIndexAt(y)];
  const paste = async () => {
    selection.setTrack(track?.header.trackId ?? null);
    await session.seek(Math.round(view.frameAt(x)));
    commands.runById("edit.paste");
  };
  return [
    { label: "Paste here", run: paste, disabled: app.clipboard.length === 0 },
    ...commands.menu(["edit.selectAll", "track.add"]),
    ...divided(commands.menu(["edit.undo", "edit.redo"])),
    ...divided(commands.menu(["view.fit", "view.selection"])),
  ];
}

/**
 * @param {App} app
 * @param {ChangedClip} clip
 * @param {MouseEvent} event
 * @returns {MenuItem[]}
 */
function clipMenu(app, clip, event) {
  const { session, selection, commands } = app;
  const rename = async () => {
    const name = await askText(event.clientX, event.clientY, "Name of the clip", nameOf(app, clip));
    if (!name) return;
    session.edit([{ op: "clip.set", clipId: clip.clipId, set: { name } }], {
      label: "Rename clip",
    });
  };
  const resetGain = () =>
    session.edit(
      selection.clips(session.mirror).map(({ clipId }) => ({
        op: /** @type {const} */ ("clip.set"),
        clipId,
        set: { gainDb: 0 },
      })),
      { label: "Reset gain" },
    );
  return [
    ...commands.menu(["edit.split", "edit.trimStart", "edit.trimEnd"]),
    ...divided(commands.menu(["edit.copy", "edit.duplicate"])),
    { label: "Rename…", run: rename },
    ...divided(commands.menu(["clip.speed", "clip.reverse"])),
    ...divided(commands.menu(["edit.louder", "edit.softer"])),
    { label: "Reset gain", run: resetGain },
    ...commands.menu(["edit.fadeShape"]),
    ...divided(commands.menu(["segment.group", "segment.ungroup"])),
    ...divided(commands.menu(["range.loop", "range.fromSelection", "view.selection"])),
    ...divided(commands.menu(["edit.deleteRipple", "edit.deleteLift", "segment.delete"])),
  ];
}

/**
 * @param {App} app
 * @param {ChangedClip} clip
 */
function nameOf({ session }, clip) {
  return clip.name ?? stem(session.assets.get(clip.assetId)?.path ?? "Clip");
}

/** Begins a group. @param {MenuItem[]} items */
function divided([first, ...rest]) {
  return [{ ...first, divided: true }, ...rest];
}

/**
 * The ruler: in the upper band markers, I/O points and the loop are moved, and a new loop is drawn; below it the playhead follows. With Shift
 * a drag sets the I/O points.
 *
 * @param {App} app
 * @param {HTMLElement} element
 */
export function rulerPointer(app, element) {
  const { session, view } = app;
  const inBand = (/** @type {{ y: number }} */ { y }) => y <= BAND_HEIGHT;

  /** @param {{ x: number, y: number }} place @returns {Marker | null} */
  const markerAt = ({ x, y }) => {
    if (!inBand({ y })) return null;
    const box = app.timeline.markerBoxes.findLast((box) => x >= box.x && x <= box.x + box.width);
    return session.mirror.markers.find(({ markerId }) => markerId === box?.markerId) ?? null;
  };
  /** @param {Point} point @returns {"in" | "out" | "loopStart" | "loopEnd" | "loop" | null} */
  const partAt = ({ x, y }) => {
    const io = session.mirror.ioPoints;
    if (!inBand({ y })) return null;
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
      if (point.shift) return "ew-resize";
      const marker = markerAt(point);
      element.title = marker !== null
        ? `${marker.name}: drag to move, double-click to rename`
        : inBand(point)
        ? "Drag to draw or move the loop; Shift-drag for the I/O range"
        : readinessAt(app, point.frame);
      const part = partAt(point);
      return marker !== null || part === "loop"
        ? "grab"
        : part !== null
        ? "ew-resize"
        : inBand(point)
        ? "crosshair"
        : "default";
    },
    begin(point) {
      const io = session.mirror.ioPoints;
      if (point.extend) return rangeGesture(app, point.frame);
      const marker = markerAt(point);
      if (marker !== null) return markerGesture(app, point, { ...marker });
      const part = partAt(point);
      if (io !== null && part === "in") return rangeGesture(app, io.outFrame);
      if (io !== null && part === "out") return rangeGesture(app, io.inFrame);
      if (part === "loop") return loopGesture(app, point, "both");
      if (part === "loopStart") return loopGesture(app, point, "start");
      if (part === "loopEnd") return loopGesture(app, point, "end");
      return inBand(point) ? drawLoopGesture(app, point) : seekGesture(app, point);
    },
  });
  const rename = async (/** @type {Marker} */ marker, /** @type {MouseEvent} */ event) => {
    const name = await askText(event.clientX, event.clientY, "Name of the marker", marker.name);
    if (!name) return;
    session.edit([{ op: "marker.set", markerId: marker.markerId, set: { name } }], {
      label: "Rename marker",
    });
  };
  element.addEventListener("dblclick", (event) => {
    const marker = markerAt(placeIn(element, event));
    if (marker !== null) rename(marker, event);
  });
  element.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    const place = placeIn(element, event);
    const frame = Math.max(0, Math.round(view.frameAt(place.x)));
    const marker = markerAt(place);
    const at = (/** @type {string} */ id) => async () => {
      await session.seek(frame);
      app.commands.runById(id);
    };
    /** @type {MenuItem[]} */
    const items = marker !== null
      ? [
        { label: "Go to this marker", run: () => session.seek(marker.frame) },
        { label: "Rename…", run: () => rename(marker, event) },
        {
          label: "Delete marker",
          danger: true,
          run: () =>
            session.edit([{ op: "marker.remove", markerId: marker.markerId }], {
              label: "Delete marker",
            }),
        },
      ]
      : [
        { label: "Marker here", run: at("range.marker") },
        { label: "In point here", run: at("range.in") },
        { label: "Out point here", run: at("range.out") },
        ...divided(app.commands.menu(["range.play", "range.loopIo", "range.silence"])),
        ...app.commands.menu(["range.extract", "range.lift", "range.clear"]),
        ...divided(app.commands.menu(["range.loop", "view.timeFormat"])),
      ];
    openMenuAt(event.clientX, event.clientY, items);
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

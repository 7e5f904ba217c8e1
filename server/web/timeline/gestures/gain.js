// @ts-check
import { decibels } from "../../model/format.js";
import { changeGain } from "../../model/edits.js";
import { liveEdit } from "./live.js";

/** @import { App } from "../../app.js" */
/** @import { ChangedClip } from "../../client/types.js" */
/** @import { Gesture, Point } from "./types.js" */

const DB_PER_PX = 0.2;
const FINE_DB_PER_PX = 0.04;

/**
 * Makes a clip louder or softer, and those that are selected with it by as much.
 *
 * @param {App} app
 * @param {Point} start
 * @param {ChangedClip} grabbed
 * @returns {Gesture}
 */
export function gainGesture(app, start, grabbed) {
  const { session, selection } = app;
  const clips = selection.clips(session.mirror).map((clip) => ({ ...clip }));
  const live = liveEdit(app, "Change gain");
  const from = grabbed.gainDb ?? -60;
  let last = 0;
  return {
    move(point) {
      const up = start.y - point.y;
      const by = Math.round(10 * up * (point.free ? FINE_DB_PER_PX : DB_PER_PX)) / 10;
      const to = Math.min(36, Math.max(-60, from + by));
      app.timeline.readout.show(point, `${decibels(to)} dB`);
      if (by === last) return;
      last = by;
      live.update(changeGain(clips, by));
    },
    end: () => {},
    cancel: () => live.cancel(),
    cursor: "ns-resize",
  };
}

// @ts-check
import { wholeSegments } from "../../model/groups.js";

/** @import { App } from "../../app.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * A rectangle selects what it touches; a click on free ground selects nothing and moves the playhead there.
 *
 * @param {App} app
 * @param {Point} start
 * @returns {Gesture}
 */
export function marqueeGesture(app, start) {
  const { view, session, selection } = app;
  const before = start.extend ? selection.clipIds : [];
  const startY = start.y + view.scrollTop;
  return {
    move({ x, y, frame, free }) {
      const [fromFrame, toFrame] = order(start.frame, frame);
      const [fromY, toY] = order(startY, y + view.scrollTop);
      const touched = session.mirror.tracks.flatMap(({ clips }, index) => {
        const top = index * view.trackHeight;
        if (top + view.trackHeight < fromY || top > toY) return [];
        return Array.from(clips.range(fromFrame, toFrame), ({ clipId }) => clipId);
      });
      // What is grouped comes along; with Alt each clip stands for itself.
      selection.set([...before, ...free ? touched : wholeSegments(session.mirror, touched)]);
      const [left, right] = order(view.xOf(start.frame), x);
      app.timeline.showMarquee({
        left,
        top: fromY - view.scrollTop,
        width: right - left,
        height: toY - fromY,
      });
    },
    end(point, moved) {
      app.timeline.showMarquee(null);
      if (moved) return;
      if (!start.extend) selection.clear();
      const track = session.mirror.tracks[view.trackIndexAt(point.y)];
      selection.setTrack(track?.header.trackId ?? null);
      session.seek(start.frame);
    },
    cancel() {
      app.timeline.showMarquee(null);
      selection.set(before);
    },
  };
}

/**
 * @param {number} a
 * @param {number} b
 */
function order(a, b) {
  return a < b ? [a, b] : [b, a];
}

// @ts-check
import { segmentOf } from "../../model/groups.js";
import { stem } from "../../model/format.js";
import { indexAt, orderOf, placeOfIndex } from "../../model/segments.js";

/** @import { App } from "../../app.js" */
/** @import { ChangedClip } from "../../client/types.js" */
/** @import { Gesture, Point } from "./types.js" */

/**
 * Takes a segment to another place in the order of its track: a mark shows where it would go in, the others make room when it is let go.
 *
 * @param {App} app
 * @param {Point} start
 * @param {ChangedClip} grabbed
 * @param {() => void} clicked what a click without movement means
 * @returns {Gesture}
 */
export function reorderGesture(app, start, grabbed, clicked) {
  const { session } = app;
  const order = orderOf(session.mirror, grabbed);
  const trackIds = new Set(
    segmentOf(session.mirror, grabbed).flatMap((clipId) =>
      session.mirror.clip(clipId)?.trackId ?? []
    ),
  );
  const rows = session.mirror.tracks.flatMap(({ header }, index) =>
    trackIds.has(header.trackId) ? [index] : []
  );
  const own = session.mirror.tracks.findIndex(({ header }) => header.trackId === grabbed.trackId);
  const path = session.assets.get(grabbed.assetId)?.path;
  const label = grabbed.name ?? (path === undefined ? "" : stem(path));
  let toIndex = order.current;
  const hide = () => {
    app.timeline.showInsertion(null);
    app.timeline.showGhost(null);
  };
  return {
    move(point) {
      toIndex = indexAt(order, point.frame);
      app.timeline.showGhost({
        frame: grabbed.startFrame + point.frame - start.frame,
        trackIndex: own,
        lengthFrames: grabbed.lengthFrames,
        label,
      });
      app.timeline.showInsertion({ frame: placeOfIndex(order, toIndex), rows });
      const place = `${toIndex + 1} of ${order.others.length + 1}`;
      app.timeline.readout.show(point, toIndex === order.current ? `${place} (as it is)` : place);
    },
    end(_point, moved) {
      hide();
      if (!moved) return clicked();
      if (toIndex === order.current) return;
      session.edit([{ op: "segment.reorder", clipId: grabbed.clipId, toIndex }], {
        label: "Reorder",
      });
    },
    cancel: hide,
    cursor: "grabbing",
  };
}

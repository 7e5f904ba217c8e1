// @ts-check
import { snapPoints, snapShift } from "../../model/snap.js";

/** @import { App } from "../../app.js" */

const REACH_PX = 8;

/**
 * Draws a drag to nearby cuts and shows to which.
 *
 * @param {App} app
 * @param {Iterable<string>} without clips that move themselves
 * @param {number[]} [passed] places that do not draw, as where a marker stood
 */
export function snapper(app, without, passed = []) {
  const { view, session } = app;
  const points = snapPoints(session.mirror, {
    startFrame: view.scrollFrame - view.width * view.framesPerPixel,
    endFrame: view.endVisibleFrame + view.width * view.framesPerPixel,
    without: new Set(without),
    also: [session.frame],
  }).filter((frame) => !passed.includes(frame));
  return {
    /**
     * @param {number[]} frames
     * @param {boolean} free
     * @returns {number} frames to shift by
     */
    shift(frames, free) {
      const found = free || !app.snapping
        ? null
        : snapShift(points, frames, REACH_PX * view.framesPerPixel);
      app.timeline.showSnap(found?.atFrame ?? null);
      return found?.byFrames ?? 0;
    },
    done() {
      app.timeline.showSnap(null);
    },
  };
}

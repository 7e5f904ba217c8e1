// @ts-check
/** @import { App } from "../app.js" */
/** @import { Gesture, Point } from "./gestures/types.js" */

const THRESHOLD_PX = 3;
/** Beyond an edge the view follows the drag, faster the further out. */
const FOLLOW_PER_FRAME = 0.12;

/**
 * Turns pointer events of an element into gestures: a threshold between click and drag, Escape to take back, the view following a
 * drag that leaves it.
 *
 * @param {App} app
 * @param {HTMLElement} element whose left edge is frame `scrollFrame`
 * @param {object} handlers
 * @param {(point: Point, event: PointerEvent) => Gesture | null} handlers.begin
 * @param {(point: Point, event: PointerEvent) => string} handlers.hover a CSS cursor
 * @param {() => void} [handlers.leave]
 */
export function trackPointer(app, element, { begin, hover, leave }) {
  /** @type {{ gesture: Gesture, start: Point, last: PointerEvent, moved: boolean } | null} */
  let active = null;

  /** @param {PointerEvent} event @returns {Point} */
  const pointOf = (event) => {
    const box = element.getBoundingClientRect();
    const x = event.clientX - box.left;
    return {
      x,
      y: event.clientY - box.top,
      frame: app.view.frameAt(x),
      free: event.altKey,
      extend: event.shiftKey || event.ctrlKey || event.metaKey,
      shift: event.shiftKey,
      mod: event.ctrlKey || event.metaKey,
    };
  };

  /** @returns {boolean} whether the pointer is still outside */
  const follow = () => {
    if (active === null || !active.moved) return false;
    const { x } = pointOf(active.last);
    const beyond = x < 0 ? x : Math.max(0, x - app.view.width);
    if (beyond === 0) return false;
    const before = app.view.scrollFrame;
    app.view.scrollBy(beyond * FOLLOW_PER_FRAME * app.view.framesPerPixel);
    if (app.view.scrollFrame === before) return false;
    app.timeline.viewChanged();
    active.gesture.move(pointOf(active.last));
    return true;
  };

  const finish = () => {
    active = null;
    app.timeline.readout.hide();
    document.documentElement.style.removeProperty("--drag-cursor");
    document.body.classList.remove("dragging");
  };

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || active !== null) return;
    const start = pointOf(event);
    const gesture = begin(start, event);
    if (gesture === null) return;
    element.setPointerCapture(event.pointerId);
    active = { gesture, start, last: event, moved: false };
  });
  element.addEventListener("pointermove", (event) => {
    const point = pointOf(event);
    if (active === null) {
      element.style.cursor = hover(point, event);
      return;
    }
    active.last = event;
    if (!active.moved) {
      const far = Math.hypot(point.x - active.start.x, point.y - active.start.y);
      if (far < THRESHOLD_PX) return;
      active.moved = true;
      document.documentElement.style.setProperty(
        "--drag-cursor",
        active.gesture.cursor ?? "default",
      );
      document.body.classList.add("dragging");
    }
    active.gesture.move(point);
    app.loop.request(follow);
  });
  element.addEventListener("pointerup", (event) => {
    if (active === null) return;
    const { gesture, moved } = active;
    finish();
    gesture.end(pointOf(event), moved);
  });
  element.addEventListener("pointercancel", () => {
    const gesture = active?.gesture;
    finish();
    gesture?.cancel();
  });
  element.addEventListener("pointerleave", () => {
    if (active === null) leave?.();
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || active === null) return;
    event.stopImmediatePropagation();
    const { gesture } = active;
    finish();
    gesture.cancel();
  }, { capture: true });
}

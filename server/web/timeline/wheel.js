// @ts-check
/** @import { App } from "../app.js" */

const LINE_PX = 16;
/** A notch of a mouse wheel (100 px) zooms by a fifth. */
const ZOOM_PER_PX = 0.0018;
/** Pinches arrive as ctrl+wheel in small steps. */
const PINCH_PER_PX = 0.01;

/**
 * Wheel: with Ctrl or Cmd (and so pinching) zooms at the cursor, with Shift scrolls in time, else scrolls as the device says; where nothing
 * can scroll up or down, a plain wheel scrolls in time.
 *
 * @param {App} app
 * @param {HTMLElement} element
 * @param {{ zooms: boolean }} options `zooms`: a plain wheel zooms
 */
export function handleWheel(app, element, { zooms }) {
  const { view } = app;
  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? LINE_PX : event.deltaMode === 2 ? view.height : 1;
    let dx = event.deltaX * unit;
    let dy = event.deltaY * unit;
    if (event.ctrlKey || event.metaKey || (zooms && Math.abs(dy) > Math.abs(dx))) {
      const x = event.clientX - element.getBoundingClientRect().left;
      const per = event.ctrlKey && Math.abs(dy) < 50 ? PINCH_PER_PX : ZOOM_PER_PX;
      view.zoomAt(x, Math.exp(-dy * per));
      app.timeline.viewChanged();
      return;
    }
    if (event.altKey) {
      app.timeline.resizeTracks(dy < 0 ? 1 : -1);
      return;
    }
    if (event.shiftKey && dx === 0) [dx, dy] = [dy, 0];
    else if (dx === 0 && view.contentHeight <= view.height) [dx, dy] = [dy, 0];
    view.scrollFrame += dx * view.framesPerPixel;
    view.scrollTop += dy;
    view.clamp();
    app.timeline.viewChanged();
  }, { passive: false });
}

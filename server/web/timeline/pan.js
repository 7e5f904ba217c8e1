// @ts-check
/** @import { App } from "../app.js" */

/**
 * The middle button takes hold of the timeline and moves it in both directions.
 *
 * @param {App} app
 * @param {HTMLElement} element
 */
export function panWithMiddleButton(app, element) {
  const { view } = app;
  /** @type {{ x: number, y: number, scrollFrame: number, scrollTop: number } | null} */
  let grip = null;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 1) return;
    event.preventDefault(); // The browser's own scrolling by middle button.
    element.setPointerCapture(event.pointerId);
    const { scrollFrame, scrollTop } = view;
    grip = { x: event.clientX, y: event.clientY, scrollFrame, scrollTop };
  });
  element.addEventListener("pointermove", (event) => {
    if (grip === null) return;
    view.scrollFrame = grip.scrollFrame - (event.clientX - grip.x) * view.framesPerPixel;
    view.scrollTop = grip.scrollTop - (event.clientY - grip.y);
    view.clamp();
    app.timeline.viewChanged();
  });
  const release = () => grip = null;
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
}

// @ts-check
import { recall, remember } from "../model/settings.js";

const LEAST = 160;
/** Left for the timeline. */
const REST = 300;
const DEFAULT = 330;
const STEP = 24;

/**
 * Lets a panel at the bottom be made taller by its upper edge: by pointer, or by arrow keys.
 *
 * @param {HTMLElement} handle a separator
 * @param {HTMLElement} panel
 */
export function resizeByHandle(handle, panel) {
  let height = Number(recall("diagnosticsHeight")) || DEFAULT;
  const most = () => Math.max(LEAST, innerHeight - REST);
  const set = (/** @type {number} */ wanted) => {
    height = Math.round(Math.min(most(), Math.max(LEAST, wanted)));
    panel.style.height = `${height}px`;
    handle.setAttribute("aria-valuemin", String(LEAST));
    handle.setAttribute("aria-valuemax", String(most()));
    handle.setAttribute("aria-valuenow", String(height));
  };
  set(height);
  addEventListener("resize", () => set(height));
  handle.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    handle.setPointerCapture(event.pointerId);
    const from = { y: event.clientY, height };
    const move = (/** @type {PointerEvent} */ { clientY }) => set(from.height + from.y - clientY);
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", () => {
      handle.removeEventListener("pointermove", move);
      remember("diagnosticsHeight", String(height));
    }, { once: true });
  });
  handle.addEventListener("keydown", (event) => {
    const steps = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (steps === 0) return;
    event.preventDefault();
    set(height + steps * STEP);
    remember("diagnosticsHeight", String(height));
  });
}

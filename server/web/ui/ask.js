// @ts-check
import { h } from "./dom.js";

/**
 * Asks for a line of text at a place on the screen: Enter takes it, Escape or a click elsewhere does not.
 *
 * @param {number} x CSS pixels in the window
 * @param {number} y
 * @param {string} label
 * @param {string} value what it says at first
 * @returns {Promise<string | null>} without spaces around it; null: not taken
 */
export function askText(x, y, label, value) {
  return new Promise((resolve) => {
    const back = document.activeElement;
    const input = h("input", { type: "text", maxlength: 200, spellcheck: "false" });
    input.value = value;
    /** @type {string | null} */
    let taken = null;
    const form = h(
      "form",
      {
        class: "menu ask",
        popover: "auto",
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          taken = input.value.trim();
          form.hidePopover();
        },
      },
      h("label", {}, label, input),
    );
    form.addEventListener("toggle", (event) => {
      if (event.newState !== "closed") return;
      const had = form.contains(document.activeElement);
      form.remove();
      if (had && back instanceof HTMLElement) back.focus();
      resolve(taken);
    });
    document.body.append(form);
    form.showPopover();
    const { width, height } = form.getBoundingClientRect();
    form.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 4))}px`;
    form.style.top = `${Math.max(4, Math.min(y, innerHeight - height - 4))}px`;
    input.focus();
    input.select();
  });
}

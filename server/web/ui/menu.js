// @ts-check
import { h } from "./dom.js";

/**
 * @typedef {object} MenuItem
 * @property {string} label
 * @property {() => unknown} run
 * @property {string} [keys] shown at the right
 * @property {boolean} [disabled]
 * @property {boolean} [danger]
 * @property {boolean} [checked] one of several, and the one that holds
 * @property {boolean} [divided] begins a group
 */

/**
 * @param {HTMLElement} anchor
 * @param {MenuItem[]} items
 */
export function openMenu(anchor, items) {
  const box = anchor.getBoundingClientRect();
  openMenuAt(box.left, box.bottom + 4, items, anchor);
}

/**
 * @param {number} x CSS pixels in the window
 * @param {number} y
 * @param {MenuItem[]} items
 * @param {HTMLElement} [back] gets the focus afterwards
 */
export function openMenuAt(x, y, items, back) {
  const menu = h("div", { class: "menu", role: "menu", popover: "auto" });
  const buttons = items.map(({ label, run, keys, disabled, danger, checked, divided }) =>
    h(
      "button",
      {
        type: "button",
        role: checked === undefined ? "menuitem" : "menuitemradio",
        "aria-checked": checked === undefined ? null : String(checked),
        class: `${danger ? "danger" : ""} ${divided ? "divided" : ""}`.trim(),
        disabled: disabled ?? false,
        onclick: () => {
          menu.hidePopover();
          run();
        },
      },
      h("span", {}, label),
      keys ? h("kbd", {}, keys) : null,
    )
  );
  menu.append(...buttons);
  document.body.append(menu);
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    if (menu.contains(document.activeElement)) back?.focus();
    menu.remove();
  });
  menu.addEventListener("keydown", (event) => {
    const enabled = buttons.filter((button) => !button.disabled);
    const at = enabled.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    enabled[(at + step + enabled.length) % enabled.length]?.focus();
  });
  menu.showPopover();
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(4, Math.min(x, innerWidth - width - 4))}px`;
  menu.style.top = `${Math.max(4, Math.min(y, innerHeight - height - 4))}px`;
  buttons.find((button) => !button.disabled)?.focus();
}

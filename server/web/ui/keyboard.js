// @ts-check
import { keyName } from "./keys.js";

/** @import { App } from "../app.js" */

/** Keys that a control under focus needs for itself. */
const SLIDER_KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);
const LIST_KEYS = new Set([
  "ArrowLeft",
  "ArrowRight",
  "ArrowUp",
  "ArrowDown",
  "Home",
  "End",
  "Space",
]);

/**
 * Sends key presses to commands, unless whatever has the focus needs them.
 *
 * @param {App} app
 */
export function listenToKeys(app) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const name = keyName(event);
    if (belongsToFocus(event, name)) return;
    const command = app.commands.forKey(name);
    if (command === undefined) return;
    event.preventDefault();
    if (event.repeat && !name.includes("Arrow") && !/^(Mod\+|Alt\+)?[-+=Z]$/.test(name)) return;
    app.commands.run(command);
  });
}

/**
 * @param {KeyboardEvent} event
 * @param {string} name
 */
function belongsToFocus(event, name) {
  const { target } = event;
  if (!(target instanceof Element)) return false;
  if (document.querySelector("dialog[open], [popover]:popover-open") !== null) return true;
  if (target instanceof HTMLInputElement && target.type === "range") return SLIDER_KEYS.has(name);
  // A name that is not being written needs Enter alone.
  if (target instanceof HTMLInputElement && target.readOnly) return name === "Enter";
  if (target.matches("input, textarea, select")) return !/^Mod\+[EK]$/.test(name);
  if (target.closest("[role=tree], [role=listbox], [role=tablist]")) return LIST_KEYS.has(name);
  // Reached by Tab, a button is pressed with Space as anywhere; clicked with the mouse, it lets Space play.
  return name === "Space" && target.matches("button, a, summary") &&
    target.matches(":focus-visible");
}

// @ts-check
import { keyName } from "./keys.js";

/** @import { App } from "../app.js" */

/** Keys that sliders and lists under focus need for themselves. */
const STEPPING_KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);

/** Keys that scroll a panel under focus. */
const SCROLLING_KEYS = new Set([...STEPPING_KEYS, "PageUp", "PageDown"]);

/** The focus was brought where it is by Tab, not by the pointer. (`:focus-visible` forgets that with the next key.) */
let walking = false;

/** @param {boolean} on */
function setWalking(on) {
  walking = on;
  document.documentElement.toggleAttribute("data-walking", on);
}

/**
 * Sends key presses to commands, unless whatever has the focus needs them.
 *
 * @param {App} app
 */
export function listenToKeys(app) {
  addEventListener("pointerdown", () => setWalking(false), { capture: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Tab") setWalking(true);
    if (event.defaultPrevented || event.isComposing) return;
    const name = keyName(event);
    if (belongsToFocus(event, name)) return;
    const command = app.commands.forKey(name);
    if (command === undefined) return;
    event.preventDefault();
    if (event.repeat && !name.includes("Arrow") && !/^(Mod\+|Alt\+)?[-+=Z]$/.test(name)) return;
    app.commands.run(command);
  });
  // Firefox presses a button when Space is let go, whatever became of the press.
  addEventListener("keyup", (event) => {
    if (keyName(event) === "Space" && !belongsToFocus(event, "Space")) event.preventDefault();
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
  if (target instanceof HTMLInputElement && target.type === "range") return STEPPING_KEYS.has(name);
  // A name that is not being written needs Enter alone.
  if (target instanceof HTMLInputElement && target.readOnly) return name === "Enter";
  if (target.matches("input, textarea, select")) return !/^Mod\+[EK]$/.test(name);
  if (SCROLLING_KEYS.has(name) && target.closest(".diagnostics-body, [role=separator]")) {
    return true;
  }
  if (target.closest("[role=tree], [role=listbox], [role=tablist]") && STEPPING_KEYS.has(name)) {
    return true;
  }
  // Reached by Tab, a button is pressed with Space as anywhere; clicked with the mouse, it lets Space play.
  return name === "Space" && walking && target.matches("button, a, summary");
}

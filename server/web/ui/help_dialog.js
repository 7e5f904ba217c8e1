// @ts-check
import { COMMANDS } from "./commands.js";
import { byId, h } from "./dom.js";
import { shownKey } from "./keys.js";

/** In the order that fills three columns evenly. */
const GROUPS = ["Playback", "Ranges", "Selection", "Files", "Editing", "Tracks", "View"];

/** What the pointer does; keys tell of themselves. */
const POINTER = [
  ["Zoom at the cursor", ["Mod+Wheel"]],
  ["Zoom over the ruler", ["Wheel"]],
  ["Scroll in time", ["Shift+Wheel"]],
  ["Taller or flatter tracks", ["Alt+Wheel"]],
  ["Pan", ["Middle drag"]],
  ["Draw the loop in the ruler's band", ["Drag"]],
  ["Draw the I/O range on the ruler", ["Shift+Drag"]],
  ["Copy clips", ["Mod+Drag"]],
  ["Slip the sound under a clip", ["Mod+Alt+Drag"]],
  ["Drag without snapping, gain finely", ["Alt+Drag"]],
  ["Select up to a clip", ["Shift+Click"]],
  ["Add to the selection", ["Mod+Click"]],
  ["Zoom to a clip, reset gain or pan", ["Double-click"]],
];

/** Shows all keys, from the table that they come from. */
export function openHelp() {
  const dialog = byId("help", HTMLDialogElement);
  const body = byId("help-body", HTMLElement);
  if (body.childElementCount === 0) {
    const groups = Map.groupBy(COMMANDS, ({ group }) => group);
    body.append(
      ...GROUPS.map((group) =>
        section(group, (groups.get(group) ?? []).map(({ title, keys }) => [title, keys]))
      ),
      section("Mouse and touchpad", /** @type {[string, string[]][]} */ (POINTER)),
    );
  }
  dialog.showModal();
}

/**
 * @param {string} title
 * @param {[string, string[]][]} rows
 */
function section(title, rows) {
  return h(
    "section",
    {},
    h("h3", {}, title),
    h(
      "dl",
      {},
      ...rows.map(([what, keys]) =>
        h(
          "div",
          {},
          h("dt", {}, what),
          h("dd", {}, ...keys.slice(0, 2).map((key) => h("kbd", {}, shownKey(key)))),
        )
      ),
    ),
  );
}

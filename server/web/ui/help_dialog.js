// @ts-check
import { COMMANDS } from "./commands.js";
import { byId, h } from "./dom.js";
import { shownKey } from "./keys.js";

/** In the order that fills four columns evenly. */
const GROUPS = [
  "Playback",
  "Selection",
  "Files",
  "Ranges",
  "Segments",
  "Tracks",
  "Editing",
  "Trimming",
  "View",
];

/** What the pointer does; keys tell of themselves. */
const POINTER = [
  ["Zoom at the cursor", ["Mod+Wheel"]],
  ["Zoom over the ruler", ["Wheel"]],
  ["Scroll in time", ["Shift+Wheel"]],
  ["Taller or flatter tracks", ["Alt+Wheel"]],
  ["Pan", ["Middle drag"]],
  ["Draw the loop in the ruler's band", ["Drag"]],
  ["Draw the I/O range on the ruler", ["Shift+Drag"]],
  ["Select up to a clip", ["Shift+Click"]],
  ["Add to the selection", ["Mod+Click"]],
  ["One clip of a group alone", ["Alt+Click"]],
  ["Copy clips", ["Mod+Drag"]],
  ["Take a segment elsewhere", ["Shift+Drag"]],
  ["Slip the sound under a clip", ["Mod+Alt+Drag"]],
  ["Without snapping, gain finely", ["Alt+Drag"]],
  ["Trim with ripple", ["Mod+Drag edge"]],
  ["Stretch to another speed", ["Shift+Drag edge"]],
  ["Razor on all tracks", ["Shift+Click"]],
  ["Zoom to clip, reset gain, pan", ["Double-click"]],
];
/** What two keys may take together, in signs; else the first is shown alone. */
const KEYS_ROOM = 10;

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
          h("dd", {}, ...shownKeys(keys).map((key) => h("kbd", {}, key))),
        )
      ),
    ),
  );
}

/** @param {string[]} keys */
function shownKeys(keys) {
  const [first, second] = keys.map(shownKey);
  return second !== undefined && first.length + second.length <= KEYS_ROOM
    ? [first, second]
    : [first];
}

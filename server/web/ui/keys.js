// @ts-check

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
/** @type {Record<string, string>} */
const SHOWN = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Delete: MAC ? "⌦" : "Del",
  Backspace: MAC ? "⌫" : "Backspace",
  Escape: "Esc",
  "-": "−",
  Mod: MAC ? "⌘" : "Ctrl",
  Shift: MAC ? "⇧" : "Shift",
  Alt: MAC ? "⌥" : "Alt",
};

/** With Alt held, some systems make other signs of keys: their place says more. */
const PLACES = new Map([
  ["Equal", "="],
  ["Comma", ","],
  ["Period", "."],
  ["BracketLeft", "["],
  ["BracketRight", "]"],
  ...[..."RS"].map((letter) => /** @type {[string, string]} */ ([`Key${letter}`, letter])),
]);

/**
 * A key press as commands name it: `Mod+Shift+Z`, `Space`, `?`. Shift counts for letters and named keys; for signs it is already in the sign.
 *
 * @param {KeyboardEvent} event
 */
export function keyName(event) {
  const typed = event.altKey ? PLACES.get(event.code) ?? event.key : event.key;
  const key = typed === " " ? "Space" : typed.length === 1 ? typed.toUpperCase() : typed;
  const named = key.length > 1 || /[A-Z]/.test(key);
  return [
    event.ctrlKey || event.metaKey ? "Mod+" : "",
    event.altKey ? "Alt+" : "",
    event.shiftKey && named ? "Shift+" : "",
    key,
  ].join("");
}

/** @param {string} name */
export function shownKey(name) {
  const parts = name === "+" ? ["+"] : name.split("+").map((part) => part || "+");
  if (parts.at(-1) === "+" && parts.at(-2) === "+") parts.pop();
  return parts.map((part) => SHOWN[part] ?? part).join(MAC ? "" : "+");
}

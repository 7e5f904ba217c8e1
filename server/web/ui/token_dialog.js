// @ts-check
import { byId, setText } from "./dom.js";

/** @import { PulseClient } from "../client/client.js" */

const KEY = "loophole.token";
const REASONS = new Map([
  [
    "origin",
    "This engine only admits pages from its own address. Start it with --origin and this one.",
  ],
  ["protocol", "This page and the engine are of different versions. Reload the page."],
]);

/**
 * The token from `#token=…`, which then leaves the address bar, or from earlier in this tab.
 *
 * @returns {string | null}
 */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return given ?? sessionStorage.getItem(KEY);
}

/**
 * Asks for a token when the engine wants one, and says why it refuses otherwise.
 *
 * @param {PulseClient} client
 */
export function askForToken(client) {
  const dialog = byId("token", HTMLDialogElement);
  const form = byId("token-form", HTMLFormElement);
  const input = byId("token-input", HTMLInputElement);
  const text = byId("token-text", HTMLElement);
  client.on("connection", (state) => {
    if (state.state === "open" && dialog.open) dialog.close();
    if (state.state !== "refused") return;
    const reason = REASONS.get(state.reason);
    setText(
      text,
      reason ?? "This engine asks for a token. It was given when the engine was started.",
    );
    input.hidden = reason !== undefined;
    if (!dialog.open) dialog.showModal();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!input.hidden && input.value !== "") {
      client.token = input.value;
      sessionStorage.setItem(KEY, input.value);
    }
    dialog.close();
    client.connect();
  });
}

// @ts-check
import { byId, setAttribute, setText } from "../ui/dom.js";

/** @import { App } from "../app.js" */

/** What happened since the diagnostics were last looked at: counted on their button. */
export class DiagnosticsBadge {
  gaps = 0;
  warnings = 0;
  #button = byId("diagnostics-button", HTMLButtonElement);
  #count = byId("diagnostics-count", HTMLElement);
  #isLooking = false;

  /** @param {App} app */
  constructor({ client }) {
    client.on("stream.underrun", ({ ended, cause }) => {
      // A missing file is shown as such where it lies.
      if (!ended && cause !== "absent") this.#add("gaps");
    });
    client.on("diagnostics.warning", () => this.#add("warnings"));
    this.#show();
  }

  /** @param {boolean} on the panel is open: what happens is seen */
  looking(on) {
    this.#isLooking = on;
    this.gaps = this.warnings = 0;
    this.#show();
  }

  /** @param {"gaps" | "warnings"} what */
  #add(what) {
    if (this.#isLooking) return;
    this[what]++;
    this.#show();
  }

  #show() {
    const { gaps, warnings } = this;
    const all = gaps + warnings;
    this.#count.hidden = all === 0;
    setText(this.#count, all > 99 ? "99+" : String(all));
    this.#button.classList.toggle("troubled", gaps > 0);
    const parts = [
      gaps > 0 ? `${gaps} ${gaps === 1 ? "gap" : "gaps"}` : "",
      warnings > 0 ? `${warnings} ${warnings === 1 ? "warning" : "warnings"}` : "",
    ].filter(Boolean);
    setAttribute(
      this.#button,
      "aria-label",
      parts.length === 0
        ? "Diagnostics"
        : `Diagnostics, ${parts.join(" and ")} since you last looked`,
    );
  }
}

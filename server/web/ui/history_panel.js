// @ts-check
import { byId, h, icon } from "./dom.js";

/** @import { App } from "../app.js" */
/** @import { HistoryEntry } from "../client/types.js" */

const SHOWN = 200;

/**
 * The project's steps, the latest first; a click goes there by undoing or redoing.
 */
export class HistoryPanel {
  #list = byId("history", HTMLElement);
  #empty = byId("history-empty", HTMLElement);
  #busy = false;
  #stale = true;

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    app.session.on("history", () => {
      this.#stale = true;
      if (app.sidebar.current === "history") this.update();
    });
  }

  async update() {
    if (!this.#stale || this.#busy) return;
    this.#busy = true;
    this.#stale = false;
    const answer = await this.#newest();
    this.#busy = false;
    if (answer !== null) this.#show(answer.entries, answer.total > answer.entries.length);
    if (this.#stale) await this.update();
  }

  /** The steps done last, as many as are shown; the history has the oldest first. */
  async #newest() {
    const { session } = this.app;
    const about = "read the history";
    const first = await session.ask("timeline.history", { offset: 0, limit: SHOWN }, about);
    if (first === null || first.total <= SHOWN) return first;
    return await session.ask(
      "timeline.history",
      { offset: first.total - SHOWN, limit: SHOWN },
      about,
    );
  }

  /**
   * @param {HistoryEntry[]} entries
   * @param {boolean} isCut whether there are steps before them
   */
  #show(entries, isCut) {
    const ordered = entries.toSorted((a, b) => b.revision - a.revision);
    // The state before the first step has a line too; steps above the current one are undone.
    const labels = [...ordered.map(({ label }) => label || "Edit"), isCut ? "Earlier" : "Opened"];
    const applied = ordered.findIndex((entry) => entry.applied);
    const current = applied < 0 ? ordered.length : applied;
    this.#list.replaceChildren(...labels.map((label, index) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            type: "button",
            class: index < current ? "undone" : "",
            "aria-current": index === current ? "step" : null,
            onclick: () => this.#go(index - current),
          },
          icon(index === current ? "here" : "dot"),
          h("span", {}, label),
        ),
      )
    ));
    this.#empty.hidden = entries.length > 0;
    this.#list.hidden = entries.length === 0;
  }

  /** @param {number} back steps to undo, or to redo below zero */
  async #go(back) {
    const { session } = this.app;
    for (let step = 0; step < Math.abs(back); step++) {
      if (await (back > 0 ? session.undo() : session.redo()) === null) return;
    }
  }
}

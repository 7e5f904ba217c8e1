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
    const answer = await this.app.session.ask(
      "timeline.history",
      { offset: 0, limit: SHOWN },
      "read the history",
    );
    this.#busy = false;
    if (answer !== null) this.#show(answer.entries);
    if (this.#stale) await this.update();
  }

  /** @param {HistoryEntry[]} entries */
  #show(entries) {
    const ordered = entries.toSorted((a, b) => b.revision - a.revision);
    const current = ordered.findIndex(({ applied }) => applied);
    this.#list.replaceChildren(...ordered.map((entry, index) =>
      h(
        "li",
        {},
        h(
          "button",
          {
            type: "button",
            class: entry.applied ? "" : "undone",
            "aria-current": index === current ? "step" : null,
            onclick: () => this.#go(index - current, current < 0 ? ordered.length - index : 0),
          },
          icon(index === current ? "here" : "dot"),
          h("span", {}, entry.label || "Edit"),
        ),
      )
    ));
    this.#empty.hidden = entries.length > 0;
  }

  /**
   * @param {number} back steps to undo, or to redo below zero
   * @param {number} all steps to redo when nothing is applied
   */
  async #go(back, all) {
    const { session } = this.app;
    for (let step = 0; step < back && all === 0; step++) if (await session.undo() === null) return;
    for (let step = 0; step < (all || -back); step++) if (await session.redo() === null) return;
  }
}

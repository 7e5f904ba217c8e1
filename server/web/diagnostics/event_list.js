// @ts-check
import { baseName } from "../model/format.js";
import { h } from "../ui/dom.js";
import { Card } from "./card.js";
import { ago, milliseconds } from "./words.js";

/** @import { App } from "../app.js" */
/** @import { Diagnostics } from "./types.js" */

const SHOWN = 60;
const AVAILABILITY = {
  present: "is there",
  missing: "is missing",
  cloud: "is in the cloud",
  pending: "is being downloaded",
};

/** @typedef {{ key: string, kind: "warning" | "file" | "late", text: string, timeMs: number | null }} Happening */

/** What a person should know besides gaps: warnings, callbacks that were late, files that came and went. The latest first. */
export class EventList extends Card {
  #written = "";

  /** @param {App} app */
  constructor(app) {
    const list = h("ol", { class: "happenings", "aria-label": "Warnings and changes" });
    super("Warnings and changes", {
      about:
        "What the engine warned of, callbacks longer than their period, files that came and went",
      empty: "Nothing to warn of.",
      size: "full",
    }, list);
    this.app = app;
    this.list = list;
  }

  /** @param {Diagnostics} diagnostics */
  show({ warnings, overruns, availability, timeMs }) {
    const { assets } = this.app.session;
    /** @type {Happening[]} */
    const all = [
      ...warnings.map((warning, index) => ({
        key: `warning ${index} ${warning.code}`,
        kind: /** @type {const} */ ("warning"),
        text: warning.message,
        timeMs: null,
      })),
      ...(overruns?.overruns ?? []).map((overrun) => ({
        key: `late ${overrun.overrunId}`,
        kind: /** @type {const} */ ("late"),
        text: `A callback took ${milliseconds(overrun.durationMs)}, longer than its period of ${
          milliseconds(overrun.periodMs)
        }.`,
        timeMs: overrun.timeMs,
      })),
      ...(availability?.changes ?? []).map((change, index) => ({
        key: `file ${index} ${change.timeMs}`,
        kind: /** @type {const} */ ("file"),
        text: `${baseName(assets.get(change.assetId)?.path ?? "A file")} ${
          AVAILABILITY[change.offlineStatus]
        }.`,
        timeMs: change.timeMs,
      })),
    ];
    this.state(all.length === 0 ? "empty" : "shown");
    this.say("");
    // Warnings bear no time: they stand first.
    all.sort((a, b) => (b.timeMs ?? Infinity) - (a.timeMs ?? Infinity) || 0);
    const shown = all.slice(0, SHOWN);
    const written = shown.map(({ key }) => key).join("\n");
    if (written !== this.#written) {
      this.#written = written;
      this.list.replaceChildren(...shown.map(({ kind, text }) =>
        h(
          "li",
          { class: kind },
          h("span", { class: "kind" }, { warning: "warning", late: "late", file: "file" }[kind]),
          h("span", { class: "text" }, text),
          h("time", {}),
        )
      ));
    }
    shown.forEach((one, index) => {
      const time = this.list.children[index].querySelector("time");
      if (time !== null) time.textContent = one.timeMs === null ? "" : ago(timeMs - one.timeMs);
    });
  }
}

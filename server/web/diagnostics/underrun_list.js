// @ts-check
import { stem } from "../model/format.js";
import { writeTime } from "../model/time_format.js";
import { h } from "../ui/dom.js";
import { Card } from "./card.js";
import { ago, CAUSES, count, milliseconds, OUTCOMES } from "./words.js";

/** @import { App } from "../app.js" */
/** @import { Diagnostics, Underrun } from "./types.js" */

/** Gaps that are shown; all are in the engine's answer. */
const SHOWN = 100;

/** Every gap that was heard, the latest first: where, how long, why, and how the page that was missing came. */
export class UnderrunList extends Card {
  /** @type {Map<number, { element: HTMLElement, written: string }>} */
  #items = new Map();

  /** @param {App} app */
  constructor(app) {
    const list = h("ol", { class: "underruns", "aria-label": "Gaps" });
    super("Gaps", {
      about: "Stretches in which frames were missing, with what is known of why",
      empty: "No gap so far. Should frames be missing, each gap is explained here.",
      size: "wide",
    }, list);
    this.app = app;
    this.list = list;
  }

  /**
   * @param {Underrun[]} underruns oldest first
   * @param {Diagnostics} diagnostics
   */
  show(underruns, { underruns: total, timeMs: nowMs, sinceMs, underrunFrames }) {
    // Those before the reset are counted no more; one that goes on is.
    const counted = underruns.filter(({ timeMs, ended }) => timeMs >= sinceMs || !ended);
    this.state(counted.length === 0 ? "empty" : "shown");
    const shown = counted.slice(-SHOWN).reverse();
    this.say(
      explained(underrunFrames),
      total > shown.length
        ? `${count(shown.length)} of ${count(total)} since the start`
        : `${count(total)} in all`,
    );
    const ids = new Set(shown.map(({ underrunId }) => underrunId));
    for (const [id, { element }] of this.#items) {
      if (ids.has(id)) continue;
      element.remove();
      this.#items.delete(id);
    }
    shown.forEach((underrun, index) => {
      const item = this.#item(underrun);
      const time = item.element.querySelector("time");
      if (time !== null) time.textContent = ago(nowMs - underrun.timeMs);
      if (this.list.children[index] !== item.element) {
        this.list.insertBefore(item.element, this.list.children[index] ?? null);
      }
    });
  }

  /** @param {Underrun} underrun */
  #item(underrun) {
    const written = JSON.stringify(underrun);
    const known = this.#items.get(underrun.underrunId);
    if (known?.written === written) return known;
    const isOpen = known?.element.querySelector("details")?.open ?? false;
    const element = this.#write(underrun, isOpen);
    known?.element.replaceWith(element);
    const item = { element, written };
    this.#items.set(underrun.underrunId, item);
    return item;
  }

  /**
   * @param {Underrun} underrun
   * @param {boolean} isOpen
   */
  #write(underrun, isOpen) {
    const { session, timeFormat } = this.app;
    const { mirror } = session;
    const { trackId, clipId, assetId, handleId, positionFrame, frames, ended, cause, filledBy } =
      underrun;
    const path = session.assets.get(assetId ?? "")?.path;
    const clip = clipId ? mirror.clip(clipId) : undefined;
    const where = [
      handleId !== undefined
        ? "Listening beside the timeline"
        : mirror.track(trackId ?? "")?.header.name ?? "A track that is gone",
      clip?.name ?? (path === undefined ? null : stem(path)),
    ].filter(Boolean).join(" · ");
    const length = !ended
      ? "goes on"
      : `${count(frames)} frames, ${milliseconds((1000 * frames) / mirror.sampleRate)}`;
    const [word, sentence] = CAUSES[cause];
    const place = handleId === undefined
      ? h("button", {
        type: "button",
        class: "place",
        title: "Go there",
        onclick: () => session.seek(positionFrame),
      }, writeTime(positionFrame, mirror, timeFormat))
      : h("span", { class: "place" }, "");
    return h(
      "li",
      { "data-underrun-id": underrun.underrunId },
      place,
      h(
        "details",
        { open: isOpen },
        h(
          "summary",
          {},
          h("span", { class: `cause ${cause}`, title: sentence }, word),
          h("span", { class: "where" }, where),
          h("span", { class: "length" }, length),
          h("time", {}),
        ),
        h(
          "p",
          {},
          `${sentence} It was filled with ${filledBy === "proxy" ? "its proxy" : "silence"}.`,
        ),
        forensics(underrun),
      ),
    );
  }
}

/**
 * How much of what was missing the gaps tell of.
 *
 * @param {Diagnostics["underrunFrames"]} frames
 */
function explained(frames) {
  if (frames === undefined) return "";
  const { recorded, unrecorded } = frames;
  return unrecorded === 0
    ? `${count(recorded)} frames since the start, all of them in gaps that are told of`
    : `${count(recorded)} frames since the start are told of; of ${
      count(unrecorded)
    } the record was lost`;
}

/** @param {Underrun} underrun */
function forensics({ forensics }) {
  if (forensics === undefined) return null;
  const {
    page,
    volume,
    dueMs,
    askedMs,
    begunMs,
    validMs,
    queueWaitMs,
    readMs,
    decodeMs,
    lateByMs,
  } = forensics;
  const since = (/** @type {number | null} */ ms) =>
    ms === null
      ? "–"
      : ms <= dueMs
      ? `${milliseconds(dueMs - ms)} before`
      : `${milliseconds(ms - dueMs)} after`;
  /** @type {[string, string][]} */
  const rows = [
    ["Page", page === null ? "–" : count(page)],
    ["Disk", volume ?? "–"],
    ["What became of it", OUTCOMES[forensics.outcome]],
    ["Asked for", since(askedMs)],
    ["Read from", since(begunMs)],
    ["There", since(validMs)],
    ["In the queue", milliseconds(queueWaitMs)],
    ["Reading", milliseconds(readMs)],
    ["Decoding", milliseconds(decodeMs)],
    ["Late by", milliseconds(lateByMs)],
  ];
  return h(
    "dl",
    { title: "Before and after the moment in which its frames were needed" },
    ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

// @ts-check
import { byId, setAttribute, setText } from "../ui/dom.js";
import { DiagnosticsBadge } from "./badge.js";
import { Charts } from "./charts.js";
import { copyText } from "./copy_text.js";
import { EventList } from "./event_list.js";
import { DiagnosticsHistory } from "./history.js";
import { resizeByHandle } from "./resizer.js";
import { Tiles } from "./tiles.js";
import { TrackTable } from "./track_table.js";
import { UnderrunBook } from "./underrun_book.js";
import { UnderrunList } from "./underrun_list.js";
import { VolumeTable } from "./volume_table.js";
import { count, lasting } from "./words.js";

/** @import { App } from "../app.js" */
/** @import { Diagnostics, Underrun } from "./types.js" */

/** From an answer to the next question, in milliseconds. */
const EVERY_MS = 1_000;
/** The same after a refusal. */
const AFTER_FAILURE_MS = 10_000;
/** Gaps that a copy has. */
const COPIED = 1_000;

/**
 * What the engine does and how well: figures, plots, tables, gaps and their causes. Asks once a second while it is open.
 */
export class DiagnosticsPanel {
  /** Answers shown, for tests. */
  shown = 0;
  #element = byId("diagnostics", HTMLElement);
  #body = byId("diagnostics-body", HTMLElement);
  #button = byId("diagnostics-button", HTMLButtonElement);
  #pauseButton = byId("diagnostics-pause", HTMLButtonElement);
  #verdict = byId("diagnostics-verdict", HTMLElement);
  #since = byId("diagnostics-since", HTMLElement);
  #history = new DiagnosticsHistory();
  #underruns = new UnderrunBook();
  #tiles = new Tiles();
  #charts = new Charts();
  #tracks = new TrackTable();
  #volumes = new VolumeTable();
  #gaps;
  #events;
  #isPaused = false;
  #busy = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Diagnostics | null} the answer that is shown */
  #latest = null;

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.badge = new DiagnosticsBadge(app);
    this.#gaps = new UnderrunList(app);
    this.#events = new EventList(app);
    this.#body.append(
      this.#tiles.element,
      ...this.#charts.elements,
      ...[this.#gaps, this.#tracks, this.#volumes, this.#events].map(({ element }) => element),
    );
    resizeByHandle(byId("diagnostics-handle", HTMLElement), this.#element);
    this.#pauseButton.addEventListener("click", () => this.pause(!this.#isPaused));
    byId("diagnostics-reset", HTMLElement).addEventListener("click", () => this.#reset());
    byId("diagnostics-copy", HTMLElement).addEventListener("click", () => this.#copy());
    byId("diagnostics-close", HTMLElement).addEventListener("click", () => this.close());
    this.#element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      event.stopPropagation();
      this.close();
    });
    document.addEventListener("visibilitychange", () => this.#soon(0));
    app.client.on("sync", ({ fresh }) => {
      if (fresh) this.#forget();
      this.#soon(0);
    });
  }

  get isOpen() {
    return !this.#element.hidden;
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  open() {
    this.#element.hidden = false;
    this.#opened(true);
    this.#soon(0);
  }

  close() {
    const hadFocus = this.#element.contains(document.activeElement);
    this.#element.hidden = true;
    clearTimeout(this.#timer);
    this.#opened(false);
    if (hadFocus) this.#button.focus();
  }

  /** Lets what is shown stand. @param {boolean} on */
  pause(on) {
    this.#isPaused = on;
    setAttribute(this.#pauseButton, "aria-pressed", String(on));
    setText(this.#pauseButton, on ? "Go on" : "Pause");
    this.#element.classList.toggle("paused", on);
    if (!on) this.#soon(0);
  }

  /** @param {boolean} open */
  #opened(open) {
    document.body.classList.toggle("with-diagnostics", open);
    setAttribute(this.#button, "aria-expanded", String(open));
    this.badge.looking(open);
  }

  #forget() {
    this.#history.clear();
    this.#underruns.clear();
  }

  async #reset() {
    if (await this.app.session.ask("diagnostics.reset", {}, "reset the diagnostics") === null) {
      return;
    }
    this.#forget();
    this.pause(false);
  }

  async #copy() {
    const { session, notices } = this.app;
    const diagnostics = this.#isPaused && this.#latest !== null
      ? this.#latest
      : await session.ask("diagnostics.get", {}, "read the diagnostics");
    const gaps = await session.ask(
      "diagnostics.underruns",
      { afterId: Math.max(0, (diagnostics?.underruns ?? 0) - COPIED), limit: COPIED },
      "read the gaps",
    );
    if (diagnostics === null || gaps === null) return;
    const text = JSON.stringify(
      {
        taken: new Date().toISOString(),
        engine: session.hello?.version,
        diagnostics,
        underruns: gaps.underruns,
        overTime: this.#history.samples,
      },
      null,
      2,
    );
    const done = await copyText(text);
    notices.add({
      kind: "diagnostics.copied",
      tone: done ? "info" : "warning",
      message: done
        ? "The diagnostics are on the clipboard."
        : "This browser did not let them be copied.",
    });
  }

  /** @param {number} afterMs */
  #soon(afterMs) {
    clearTimeout(this.#timer);
    if (!this.isOpen || this.#isPaused || this.#busy) return;
    this.#timer = setTimeout(() => this.#look(), afterMs);
  }

  async #look() {
    const { client } = this.app;
    // Nobody looks, or there is nobody to ask: whoever comes back asks again.
    if (document.hidden || !client.isOpen) return;
    this.#busy = true;
    let next = EVERY_MS;
    try {
      const diagnostics = await client.request("diagnostics.get", {});
      const query = this.#underruns.query(diagnostics.underruns);
      if (diagnostics.underruns > 0) {
        this.#underruns.take(await client.request("diagnostics.underruns", query));
      }
      if (!this.#isPaused) this.show(diagnostics);
    } catch (error) {
      // A connection that is lost says so itself.
      if (client.isOpen) this.app.notices.fail(error, "read the diagnostics");
      next = AFTER_FAILURE_MS;
    }
    this.#busy = false;
    this.#soon(next);
  }

  /**
   * @param {Diagnostics} diagnostics
   * @param {Underrun[]} [underruns] oldest first
   */
  show(diagnostics, underruns = this.#underruns.all) {
    const { session } = this.app;
    const { mirror } = session;
    const plays = session.transport?.state === "playing";
    this.#latest = diagnostics;
    this.#history.take(diagnostics, mirror.sampleRate, plays);
    const { samples } = this.#history;
    this.#say(diagnostics);
    this.#tiles.show(diagnostics, samples.at(-1), plays);
    this.#charts.show(diagnostics, samples);
    this.#gaps.show(underruns, diagnostics);
    this.#tracks.show(diagnostics, (trackId) => mirror.track(trackId)?.header.name ?? trackId);
    this.#volumes.show(diagnostics);
    this.#events.show(diagnostics);
    this.shown++;
  }

  /** @param {Diagnostics} diagnostics */
  #say({ counters, timeMs, sinceMs }) {
    const { missing = 0, faded = 0, callbacks = 0 } = counters;
    const tone = missing > 0 ? "bad" : faded > 0 ? "warn" : callbacks > 0 ? "good" : "";
    if (this.#verdict.className !== `verdict ${tone}`) this.#verdict.className = `verdict ${tone}`;
    setText(
      this.#verdict,
      missing > 0
        ? `${count(missing)} frames missing`
        : faded > 0
        ? `${count(faded)} frames faded`
        : callbacks > 0
        ? "No dropout"
        : "Nothing was rendered yet",
    );
    setText(this.#since, `counted for ${lasting(timeMs - sinceMs)}`);
  }
}

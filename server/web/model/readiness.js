// @ts-check
import { Emitter } from "../client/emitter.js";
import { mergeColumns } from "./ready_runs.js";

/** @import { ReadyAnswer, ReadyRun, ReadyState } from "./ready_runs.js" */
/** @import { View } from "./view.js" */
/** @import { Session } from "./session.js" */

/** How often it is asked for while the page is seen, in milliseconds. */
const EVERY_MS = 1_000;
/** How long a seek, an edit or another view settles before it is asked for anew. */
const SETTLE_MS = 100;
/** From an answer to the next question, whatever happens. */
const LEAST_GAP_MS = 250;
/** An engine that takes long to answer is left alone for this many times as long. */
const REST = 10;
/** Columns a CSS pixel: finer than the strip's hatching would tell nothing. */
const DETAIL = 0.5;
const MOST_COLUMNS = 8_192;

/**
 * Where playback would begin at once, around what is seen of the timeline: asked of the engine once a second while the page is seen, and soon
 * after something has changed it. Tracks that are not heard do not count.
 *
 * @extends {Emitter<{ changed: void }>}
 */
export class Readiness extends Emitter {
  /** @type {ReadyRun[]} in order; what they do not cover is not known */
  runs = [];
  /** Answers taken in, for tests. */
  answers = 0;
  /** @type {ReadyAnswer | null} */
  #answer = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #dueMs = Infinity;
  #answeredMs = -Infinity;
  #busy = false;
  #again = false;

  /**
   * @param {Session} session
   * @param {View} view
   * @param {(url: string) => string} authorize
   */
  constructor(session, view, authorize) {
    super();
    this.session = session;
    this.view = view;
    this.authorize = authorize;
    session.on("timeline", () => this.soon());
    session.on("transport", () => this.soon());
    session.on("connected", (connected) => connected ? this.soon() : this.#forget());
    document.addEventListener("visibilitychange", () => this.soon());
  }

  /** Asks again, once things have settled. */
  soon() {
    this.#plan(SETTLE_MS);
  }

  /** The view moved: asks again where the answer at hand does not reach, or is too coarse. */
  viewChanged() {
    const { view } = this;
    const answer = this.#answer;
    const end = Math.min(view.endVisibleFrame, view.endFrame);
    const reaches = answer !== null && answer.start <= view.scrollFrame && answer.end >= end;
    const perColumn = answer === null ? Infinity : (answer.end - answer.start) / answer.width;
    if (!reaches || perColumn > (2 * view.framesPerPixel) / DETAIL) this.soon();
  }

  /**
   * @param {number} frame
   * @returns {{ state: ReadyState, pending: string[], offline: string[] } | null} ids of the tracks that are not ready there; null: not known
   */
  at(frame) {
    const answer = this.#answer;
    if (answer === null || frame < answer.start || frame >= answer.end) return null;
    const column = Math.floor(
      ((frame - answer.start) * answer.width) / (answer.end - answer.start),
    );
    const isHeard = this.#heard();
    const those = (/** @type {string} */ letter) =>
      answer.tracks.filter(({ trackId, columns }) => columns[column] === letter && isHeard(trackId))
        .map(({ trackId }) => trackId);
    const [pending, offline] = [those("p"), those("o")];
    const state = offline.length > 0 ? "offline" : pending.length > 0 ? "pending" : "instant";
    return { state, pending, offline };
  }

  /** @returns {(trackId: string) => boolean} whether a track is heard as things stand now */
  #heard() {
    const { mirror } = this.session;
    const soloed = mirror.tracks.some(({ header }) => header.solo);
    return (trackId) => {
      const header = mirror.track(trackId)?.header;
      return header !== undefined && !header.mute && (header.solo || !soloed);
    };
  }

  /** @param {number} afterMs */
  #plan(afterMs) {
    if (this.#busy) {
      this.#again ||= afterMs <= SETTLE_MS;
      return;
    }
    const now = performance.now();
    const dueMs = Math.max(now + afterMs, this.#answeredMs + LEAST_GAP_MS);
    if (dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => this.#ask(), dueMs - now);
  }

  #forget() {
    this.#take(null);
  }

  /** @param {ReadyAnswer | null} answer */
  #take(answer) {
    this.#answer = answer;
    this.runs = answer === null ? [] : mergeColumns(answer, this.#heard());
    this.emit("changed", undefined);
  }

  async #ask() {
    this.#dueMs = Infinity;
    // Nobody looks, or there is nobody to ask: whoever comes back asks again.
    if (document.hidden || !this.session.client.isOpen) return;
    this.#busy = true;
    this.#again = false;
    const begun = performance.now();
    const range = this.#range();
    try {
      if (range === null) this.#take(null);
      else {
        const query = new URLSearchParams(
          Object.entries(range).map(([name, value]) => [name, String(value)]),
        );
        const answer = await fetch(this.authorize(`/aura/readiness?${query}`));
        if (answer.ok) this.#take(await answer.json());
        this.answers++;
      }
    } catch {
      // The connection says so itself; what is known grows old until it is back.
    }
    this.#busy = false;
    this.#answeredMs = performance.now();
    const took = this.#answeredMs - begun;
    this.#plan(this.#again ? SETTLE_MS : Math.max(EVERY_MS, REST * took));
  }

  /** What is seen, and as much before and after it, as far as there is something. */
  #range() {
    const { scrollFrame, endVisibleFrame, endFrame, framesPerPixel } = this.view;
    const span = endVisibleFrame - scrollFrame;
    const start = Math.max(0, Math.floor(scrollFrame - span));
    const end = Math.min(endFrame, Math.ceil(endVisibleFrame + span));
    if (end <= start) return null;
    const columns = Math.ceil(((end - start) / framesPerPixel) * DETAIL);
    return { start, end, width: Math.max(1, Math.min(MOST_COLUMNS, columns)) };
  }
}

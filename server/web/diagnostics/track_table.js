// @ts-check
import { Card } from "./card.js";
import { Table } from "./table.js";
import { bytes, CAUSES, count, milliseconds } from "./words.js";

/** @import { Diagnostics, TrackFigures } from "./types.js" */

/** @typedef {TrackFigures & { name: string, index: number, most: { readMs: number, decodeMs: number, bytes: number } }} Row */

/** What each track cost and missed. */
export class TrackTable extends Card {
  constructor() {
    /** @type {Table<Row>} */
    const table = new Table("Tracks", [
      { title: "Track", text: ({ name }) => name, order: ({ index }) => index },
      figure("Read", "Time spent waiting for disks", "readMs", milliseconds),
      figure("Decode", "Time spent decoding and converting", "decodeMs", milliseconds),
      figure("Bytes", "Read from files", "bytes", bytes),
      {
        title: "By proxy",
        about: "Frames that a proxy filled",
        figure: true,
        text: ({ proxied }) => count(proxied),
        order: ({ proxied }) => proxied,
        tone: ({ proxied }) => proxied > 0 ? "warn" : "",
      },
      frames("Missing", "Frames that were not there", "missing", "missingByCause"),
      frames("Faded", "Frames faded around gaps", "faded", "fadedByCause"),
    ], ({ trackId }) => trackId);
    super("Tracks", {
      about: "What fetching each track's sound took since the last reset, and what it missed",
      empty: "There are no tracks yet. What each costs the disk and the processor will stand here.",
      size: "wide",
    }, table.element);
    this.table = table;
  }

  /**
   * @param {Diagnostics} diagnostics
   * @param {(trackId: string) => string} nameOf
   */
  show({ tracks }, nameOf) {
    this.state(tracks.length === 0 ? "empty" : "shown");
    const most = { readMs: 0, decodeMs: 0, bytes: 0 };
    for (const { impact } of tracks) {
      if (impact === undefined) continue;
      for (const name of /** @type {const} */ (["readMs", "decodeMs", "bytes"])) {
        most[name] = Math.max(most[name], impact[name]);
      }
    }
    this.table.show(tracks.map((track, index) => ({
      ...track,
      name: nameOf(track.trackId),
      index,
      most,
    })));
  }
}

/**
 * @param {string} title
 * @param {string} about
 * @param {"readMs" | "decodeMs" | "bytes"} name
 * @param {(value: number | undefined) => string} write
 * @returns {import("./table.js").Column<Row>}
 */
function figure(title, about, name, write) {
  return {
    title,
    about,
    figure: true,
    text: ({ impact }) => write(impact?.[name]),
    order: ({ impact }) => impact?.[name] ?? null,
    share: ({ impact, most }) => most[name] > 0 ? (impact?.[name] ?? 0) / most[name] : 0,
  };
}

/**
 * @param {string} title
 * @param {string} about
 * @param {"missing" | "faded"} name
 * @param {"missingByCause" | "fadedByCause"} byCause
 * @returns {import("./table.js").Column<Row>}
 */
function frames(title, about, name, byCause) {
  return {
    title,
    about,
    figure: true,
    text: (row) => {
      const causes = Object.entries(row[byCause] ?? {}).filter(([, value]) => value > 0)
        .map(([cause]) => CAUSES[/** @type {keyof typeof CAUSES} */ (cause)]?.[0] ?? cause);
      return causes.length > 0 ? `${count(row[name])} (${causes.join(", ")})` : count(row[name]);
    },
    order: (row) => row[name],
    tone: (row) => row[name] > 0 ? (name === "missing" ? "bad" : "warn") : "",
  };
}

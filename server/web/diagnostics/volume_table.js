// @ts-check
import { Card } from "./card.js";
import { Table } from "./table.js";
import { bytes, count, milliseconds, percent, rate, UNKNOWN } from "./words.js";

/** @import { Diagnostics, Volume, VolumeForecast } from "./types.js" */

/** @typedef {{ volume: string, folder: string | null, seen: Volume | undefined, forecast: VolumeForecast | undefined }} Row */

/** A disk with less to spare than this is told of. */
const SCARCE = 1.5;

/** The disks, what they gave, and what the timeline needs of them. */
export class VolumeTable extends Card {
  constructor() {
    /** @type {Table<Row>} */
    const table = new Table("Disks", [
      {
        title: "Disk",
        about: "The folder that its files lie in",
        text: ({ folder, volume }) => folder ?? volume,
        order: ({ folder, volume }) => folder ?? volume,
      },
      figure("Speed", "While it was read from", ({ seen }) => seen?.bytesPerSecond, rate),
      figure(
        "Needed",
        "What the next minute of the timeline needs at its busiest",
        ({ forecast }) => forecast?.needBytesPerSecond,
        rate,
      ),
      {
        ...figure(
          "Margin",
          "Speed by need: below 1 it cannot sustain playback",
          marginOf,
          (value) => value === null || value === undefined ? UNKNOWN : `× ${value.toPrecision(2)}`,
        ),
        tone: (row) => {
          const margin = marginOf(row);
          return margin === null || margin === undefined
            ? ""
            : margin < 1
            ? "bad"
            : margin < SCARCE
            ? "warn"
            : "good";
        },
      },
      figure(
        "Busy",
        "Part of the time in which it was read from",
        ({ seen }) => seen?.busyShare,
        percent,
      ),
      figure("Latency", "A read's mean, of late", ({ seen }) => seen?.latencyMs, milliseconds),
      figure("Longest", "The longest read", ({ seen }) => seen?.longestMs, milliseconds),
      figure("Read", "Bytes since the last reset", ({ seen }) => seen?.bytes, bytes),
      {
        ...figure("Errors", "Reads that failed", ({ seen }) => seen?.errors, count),
        tone: ({ seen }) => seen !== undefined && seen.errors > 0 ? "bad" : "",
      },
      {
        ...figure(
          "Stalls",
          "Reads that did not come back in time",
          ({ seen }) => seen?.stalls,
          count,
        ),
        text: ({ seen }) =>
          seen?.stalled ? `${count(seen.stalls)}, hangs now` : count(seen?.stalls),
        tone: ({ seen }) =>
          seen?.stalled ? "bad" : seen !== undefined && seen.stalls > 0 ? "warn" : "",
      },
    ], ({ volume }) => volume);
    super("Disks", {
      about: "What each disk gave, against what the timeline needs of it in the next minute",
      empty: "No file has been opened yet. The disks that files lie on will stand here.",
      size: "full",
    }, table.element);
    this.table = table;
  }

  /** @param {Diagnostics} diagnostics */
  show({ volumes, forecast }) {
    if (volumes === undefined && !forecast) return this.state("unknown");
    const all = new Set([...volumes ?? [], ...forecast?.volumes ?? []].map(({ volume }) => volume));
    this.state(all.size === 0 ? "empty" : "shown");
    this.table.show([...all].map((volume) => {
      const seen = volumes?.find((one) => one.volume === volume);
      const expected = forecast?.volumes.find((one) => one.volume === volume);
      return { volume, seen, forecast: expected, folder: seen?.folder ?? expected?.folder ?? null };
    }));
    this.say(forecast ? "" : "What is needed is reckoned while it plays.");
  }
}

/** @param {Row} row */
function marginOf({ forecast }) {
  return forecast?.margin;
}

/**
 * @param {string} title
 * @param {string} about
 * @param {(row: Row) => number | null | undefined} value
 * @param {(value: number | null | undefined) => string} write
 * @returns {import("./table.js").Column<Row>}
 */
function figure(title, about, value, write) {
  return {
    title,
    about,
    figure: true,
    text: (row) => write(value(row)),
    order: (row) => value(row) ?? null,
  };
}

// @ts-check
import { grouped } from "../model/format.js";

/**
 * Figures as the diagnostics write them: three digits that count, a unit, and "–" for what is not known.
 *
 * @module
 */

export const UNKNOWN = "–";

/** @typedef {number | null | undefined} Maybe */

/** Three digits that count. @param {number} value */
function short(value) {
  const size = Math.abs(value);
  if (size >= 100 || size === 0) return grouped(value);
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** @param {Maybe} ms */
export function milliseconds(ms) {
  if (ms === null || ms === undefined) return UNKNOWN;
  if (ms === 0) return "0 ms";
  if (Math.abs(ms) < 0.1) return `${short(ms * 1000)} µs`;
  return Math.abs(ms) < 1000 ? `${short(ms)} ms` : `${short(ms / 1000)} s`;
}

/**
 * A value of a histogram, whose buckets know no more than two digits.
 *
 * @param {Maybe} value
 * @param {"ms" | "share"} unit
 */
export function roughly(value, unit) {
  return plain(
    measured(value === null || value === undefined ? value : Number(value.toPrecision(2)), unit),
  );
}

/** @param {Maybe} bytes in units of 10³ */
export function bytes(bytes) {
  if (bytes === null || bytes === undefined) return UNKNOWN;
  let value = bytes;
  const units = ["B", "kB", "MB", "GB", "TB"];
  while (Math.abs(value) >= 999.5 && units.length > 1) {
    value /= 1000;
    units.shift();
  }
  return `${units[0] === "B" ? grouped(value) : short(value)} ${units[0]}`;
}

/** @param {Maybe} perSecond */
export function rate(perSecond) {
  return perSecond === null || perSecond === undefined ? UNKNOWN : `${bytes(perSecond)}/s`;
}

/** @param {Maybe} share 1 is all */
export function percent(share) {
  if (share === null || share === undefined) return UNKNOWN;
  // What is nearly all is not all.
  if (share > 0.999 && share < 1) return `${(Math.floor(share * 1e5) / 1e3).toFixed(3)} %`;
  return `${short(share * 100)} %`;
}

/** @param {Maybe} value */
export function count(value) {
  return value === null || value === undefined ? UNKNOWN : grouped(value);
}

/**
 * A value of a histogram in its unit.
 *
 * @param {Maybe} value
 * @param {"ms" | "share"} unit
 */
export function measured(value, unit) {
  return unit === "ms" ? milliseconds(value) : percent(value);
}

/** The same without zeros that say nothing, for scales. @param {string} figure */
export function plain(figure) {
  return figure.replace(/\.(\d*?)0+(?= |$)/, (_, digits) => digits === "" ? "" : `.${digits}`);
}

/** @param {number} ms a length of time */
export function lasting(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** @param {number} ms how long ago */
export function ago(ms) {
  return ms < 1000 ? "now" : `${lasting(ms)} ago`;
}

/** Why frames were missing, by the engine's word for it: a word for tables, and a sentence. */
export const CAUSES = /** @type {const} */ ({
  queue: ["queue", "The page came too late: it was asked for, but threads had too much to do."],
  read: ["read", "The disk was too slow, or a read failed."],
  decode: ["decode", "Decoding took too long, or a part of the file is broken."],
  stalled: ["stalled", "A disk or network drive did not answer."],
  absent: ["absent", "The file was not there."],
  budget: ["budget", "There was no room in memory: more sounded at once than the budget holds."],
});

/** What became of a page that came too late. */
export const OUTCOMES = /** @type {const} */ ({
  filled: "came late",
  failed: "the read failed",
  stalled: "the read hangs",
  waiting: "still in the queue",
  reading: "still being read",
  unasked: "nobody had asked for it",
});

// @ts-check
/**
 * Timelines of other programs: what a document is, by what it holds, and a report in words.
 *
 * @module
 */

/**
 * What became of a document: what is there now, what had no counterpart, what is missing.
 * @typedef {import("../client/interface.ts").Result<"timeline.importOtio">["report"]} Report
 */

/** What holds a timeline, by name; everything else that is dropped is taken for sound. */
const TIMELINE_FILE = /\.(otio|json)$/i;

/** @param {string} name */
export function isTimelineFile(name) {
  return TIMELINE_FILE.test(name);
}

/** Members that Cap's configuration has, each of them where it is used. */
const CAP_MEMBERS = ["timeline", "clips", "background", "camera", "captions"];

/**
 * @param {unknown} document
 * @returns {"otio" | "cap" | null}
 */
export function kindOf(document) {
  if (typeof document !== "object" || document === null) return null;
  if ("OTIO_SCHEMA" in document) return "otio";
  return CAP_MEMBERS.some((member) => member in document) ? "cap" : null;
}

/**
 * @param {number} count
 * @param {string} what
 */
export function counted(count, what) {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** @param {Report} report */
export function summaryOf({ tracks, clips, markers }) {
  const parts = [counted(tracks, "track"), counted(clips, "clip")];
  if (markers > 0) parts.push(counted(markers, "marker"));
  return parts.join(", ");
}

/** @param {(string | number)[]} path */
export function writePath(path) {
  return path.map((part, index) =>
    typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`
  ).join("");
}

/**
 * @param {Report} report
 * @returns {boolean} whether there is anything that a person should read
 */
export function hasRemarks({ entries, missing }) {
  return entries.length > 0 || missing.length > 0;
}

// @ts-check
import { Emitter } from "../client/emitter.js";

/** What a person can do about it, by the engine's word for it. */
const ADVICE = new Map(Object.entries({
  "asset.unreadable":
    "The file may be damaged: open it in another program, or choose another copy.",
  "asset.outsideLibrary": "Start the engine with --library and that folder, or drop the file here.",
  "asset.notFound": "The file is not where it was: look for it in the Library.",
  "asset.inUse": "Delete its clips from the timeline first.",
  "timeline.conflict": "Someone else edited at the same time: look at the result and try again.",
  "timeline.notFound": "It has just been removed, perhaps by someone else.",
  "timeline.nothingToUndo": "There is nothing more to undo.",
  "cache.budget": "Start the engine with a larger --memory-mb.",
  "device.unavailable": "Check that the device is plugged in, or choose another one.",
  "export.exists": "Choose another name, or allow it to be replaced.",
  "export.outside": "Give a plain file name: exports go to the export folder.",
  "export.diskFull": "Free some space and export again.",
  "limit.exceeded": "Do it in smaller parts.",
}));

/** Names that one notice tells. */
const MOST_NAMED = 3;

/**
 * @typedef {object} Notice
 * @property {string} kind one line a kind: another of the same adds to its count
 * @property {"error" | "warning" | "info"} tone
 * @property {string} message
 * @property {string} [advice] what to do
 * @property {number} count
 * @property {string[]} [subjects] what it is about, the latest first
 * @property {{ label: string, href: string, download?: string } | undefined} [link]
 */

/**
 * What a person should know, without repeating it.
 *
 * @extends {Emitter<{ changed: void }>}
 */
export class Notices extends Emitter {
  /** @type {Map<string, Notice>} */
  #notices = new Map();

  /** @returns {Notice[]} the latest first */
  get all() {
    return [...this.#notices.values()].reverse();
  }

  /** @param {Omit<Notice, "count">} notice */
  add(notice) {
    const count = (this.#notices.get(notice.kind)?.count ?? 0) + 1;
    this.#notices.delete(notice.kind);
    this.#notices.set(notice.kind, { ...notice, count });
    this.emit("changed", undefined);
  }

  /**
   * @param {unknown} error
   * @param {string} action what was tried, as in "Could not …"
   * @param {string} [subject] to what, such as a file's name: those with the same reason are gathered in one line
   */
  fail(error, action, subject) {
    const { code = "page", message = String(error) } =
      /** @type {{ code?: string, message?: string }} */ (error ?? {});
    // A lost connection is shown by the connection itself.
    if (code === "disconnected") return;
    const reason = reasonOf(message);
    const kind = subject === undefined ? code : `${code}: ${reason}`;
    const before = this.#notices.get(kind)?.subjects ?? [];
    const subjects = subject === undefined ? [] : [...new Set([subject, ...before])];
    this.add({
      kind,
      tone: "error",
      message: `Could not ${[action, ...listed(subjects)].join(" ")}: ${reason}`,
      advice: ADVICE.get(code),
      subjects,
    });
  }

  /** @param {string} kind */
  dismiss(kind) {
    if (this.#notices.delete(kind)) this.emit("changed", undefined);
  }
}

/**
 * @param {string[]} names
 * @returns {string[]} a text that names the first, or none
 */
function listed(names) {
  if (names.length === 0) return [];
  const shown = names.slice(0, MOST_NAMED).join(", ");
  return [names.length > MOST_NAMED ? `${shown} and ${names.length - MOST_NAMED} more` : shown];
}

/**
 * The engine says "Cannot read /long/path: why"; what was tried is known here, so that only the reason is left.
 *
 * @param {string} message
 */
function reasonOf(message) {
  return message.replace(/^Cannot .*?: (?=\S)/, "");
}

/**
 * What an import or export did, and what had no counterpart: nothing is left out without a word.
 *
 * @module
 */
import type { Path } from "./fields.ts";

/** Something of a document that could not be taken over as it stands. */
export interface ReportEntry {
  /** Where it stands in the document that was read, or in the timeline that was written. */
  path: (string | number)[];
  what: string;
  done: string;
}

/** A file that a document names and that cannot be read now. Its clips are there, and sound once it is. */
export interface MissingFile {
  /** As the document names it. */
  name: string;
  path: (string | number)[];
  reason: string;
  /** The asset that stands for it, where there is one. */
  assetId?: string;
  /** Where it is looked for. */
  lookedFor?: string;
}

export interface Report {
  tracks: number;
  clips: number;
  markers: number;
  entries: ReportEntry[];
  /** Entries beyond the first {@linkcode MOST_ENTRIES}, by number. */
  moreEntries: number;
  missing: MissingFile[];
}

/** Most entries that a report lists. */
export const MOST_ENTRIES = 1_000;

/** Gathers a report. */
export class ReportWriter {
  readonly #entries: ReportEntry[] = [];
  readonly #once = new Set<string>();
  readonly missing: MissingFile[] = [];
  #more = 0;

  /** Says what was found and what became of it. */
  add(path: Path, what: string, done: string): void {
    if (this.#entries.length < MOST_ENTRIES) this.#entries.push({ path: [...path], what, done });
    else this.#more++;
  }

  /** The same for what is told of its first place alone. */
  once(path: Path, what: string, done: string): void {
    if (this.#once.has(what)) return;
    this.#once.add(what);
    this.add(path, what, done);
  }

  done(counts: { tracks: number; clips: number; markers: number }): Report {
    const { tracks, clips, markers } = counts;
    return {
      tracks,
      clips,
      markers,
      entries: this.#entries,
      moreEntries: this.#more,
      missing: this.missing,
    };
  }
}

/**
 * What the journal keeps of each change of a timeline: the state that it made and the state that it took away, so that a replay and an
 * undo need no earlier timeline and do not depend on how an edit was done.
 *
 * @module
 */
import type { HeadMapStep } from "../signal/model.ts";
import type { StepHead } from "./history.ts";
import { LIMITS } from "./limits.ts";
import type { Changes } from "./types.ts";

export type ChangeCause = "edit" | "undo" | "redo" | "set" | "import";

/** One revision. */
export interface JournalEntry {
  readonly revision: number;
  readonly cause: ChangeCause;
  /** Of an edit: the first revision of its undo step. Of an undo or redo: the last revision of the step that it takes back or does again. */
  readonly step: number;
  readonly label: string;
  readonly clientId: string;
  readonly mergeKey?: string;
  readonly requestId?: string;
  /** Of the request's edits, so that a repeated `requestId` is known to ask for the same. */
  readonly requestHash?: string;
  /** How the head moved; of a merged step all of it. */
  readonly map: readonly HeadMapStep[];
  /** From the revision before to this one. An undo or redo has none: it is that of its step. */
  readonly forward?: Changes;
  /** From this revision to what stood before its step. */
  readonly backward?: Changes;
  /** From what stood before its step to this revision, where that is more than `forward`. */
  readonly redo?: Changes;
  /** True where what stood before its step, or after it, was no revision: its step, or one below it, was moved in the history. */
  readonly apart?: boolean;
  /** Steps over which this entry's step was moved, by their last revisions, and the ways that lead around them now. */
  readonly moved?: readonly MovedStep[];
}

/** How the step that ends with a revision is undone and done again since another was moved over it. */
export interface MovedStep extends Pick<StepChanges, "backward" | "redo"> {
  readonly last: number;
}

/** What undoing and doing again a step needs. */
export interface StepChanges {
  readonly backward: Changes;
  readonly redo: Changes;
  readonly map: readonly HeadMapStep[];
}

/** Where entries go. */
export interface Journal {
  /**
   * Keeps an entry, and what it says of `moved` steps in place of what their entries said: when it returns, that survives the death of the
   * process. Throws if it cannot, and keeps nothing.
   */
  append(entry: JournalEntry): void;
  /** The changes of the step that ends with this revision, or `null` if the journal no longer has it. */
  stepChanges(revision: number): StepChanges | null;
  /** The entry of a revision, or `null`. */
  entry(revision: number): JournalEntry | null;
  /** What is called of the step that ends with a revision, or `null`. */
  head(revision: number): StepHead | null;
}

/** Entries in memory: those of all undo steps, unless many were merged, and of taking them back and forth. */
const MOST_ENTRIES = 3 * LIMITS.undoSteps;

/** A journal that dies with the process: for tests and for programs that keep their timelines themselves. */
export class MemoryJournal implements Journal {
  readonly #entries = new Map<number, JournalEntry>();

  append(entry: JournalEntry): void {
    this.#entries.set(entry.revision, entry);
    for (const moved of entry.moved ?? []) {
      const known = this.#entries.get(moved.last);
      if (known !== undefined) this.#entries.set(moved.last, movedEntry(known, moved));
    }
    if (this.#entries.size > MOST_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
  }

  head(revision: number): StepHead | null {
    const entry = this.entry(revision);
    return entry === null ? null : stepHeadOf(entry);
  }

  entry(revision: number): JournalEntry | null {
    return this.#entries.get(revision) ?? null;
  }

  stepChanges(revision: number): StepChanges | null {
    return stepChangesOf(this.entry(revision));
  }
}

/** An entry whose step another one was moved over. */
export function movedEntry(entry: JournalEntry, { backward, redo }: MovedStep): JournalEntry {
  return { ...entry, backward, redo, apart: true };
}

/** What the step is called that ends with an entry. */
export function stepHeadOf(
  { step, revision, label, clientId, mergeKey, apart }: Omit<JournalEntry, "map">,
): StepHead {
  return {
    first: step,
    last: revision,
    label,
    clientId,
    ...(mergeKey !== undefined && { mergeKey }),
    ...(apart && { apart }),
  };
}

/** What an entry says of its step. */
export function stepChangesOf(entry: JournalEntry | null): StepChanges | null {
  if (entry?.forward === undefined || entry.backward === undefined) return null;
  return { backward: entry.backward, redo: entry.redo ?? entry.forward, map: entry.map };
}

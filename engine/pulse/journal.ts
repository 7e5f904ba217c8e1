/**
 * What the journal keeps of each change of a timeline: the state that it made and the state that it took away, so that a replay and an
 * undo need no earlier timeline and do not depend on how an edit was done.
 *
 * @module
 */
import type { HeadMapStep } from "../signal/model.ts";
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
}

/** What undoing and doing again a step needs. */
export interface StepChanges {
  readonly backward: Changes;
  readonly redo: Changes;
  readonly map: readonly HeadMapStep[];
}

/** Where entries go. */
export interface Journal {
  /** Keeps an entry: when it returns, the entry survives the death of the process. Throws if it cannot, and keeps nothing. */
  append(entry: JournalEntry): void;
  /** The changes of the step that ends with this revision, or `null` if the journal no longer has it. */
  stepChanges(revision: number): StepChanges | null;
  /** The entry of a revision, or `null`. */
  entry(revision: number): JournalEntry | null;
}

/** A journal that dies with the process: for tests and for programs that keep their timelines themselves. */
export class MemoryJournal implements Journal {
  readonly #entries = new Map<number, JournalEntry>();

  append(entry: JournalEntry): void {
    this.#entries.set(entry.revision, entry);
    if (this.#entries.size > 4_096) this.#entries.delete(this.#entries.keys().next().value!);
  }

  entry(revision: number): JournalEntry | null {
    return this.#entries.get(revision) ?? null;
  }

  stepChanges(revision: number): StepChanges | null {
    return stepChangesOf(this.entry(revision));
  }
}

/** What an entry says of its step. */
export function stepChangesOf(entry: JournalEntry | null): StepChanges | null {
  if (entry?.forward === undefined || entry.backward === undefined) return null;
  return { backward: entry.backward, redo: entry.redo ?? entry.forward, map: entry.map };
}

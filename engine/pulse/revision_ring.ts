/**
 * The timelines of the latest revisions, and the way back to some before them.
 *
 * @module
 */
import type { JournalEntry } from "./journal.ts";
import { stepChangesOf } from "./journal.ts";
import { replayChanges } from "./replay_changes.ts";
import type { TimelineModel } from "./timeline_model.ts";

/** Revisions in memory. They share what did not change. */
const REVISIONS = 256;
/** Of these the most that lie in the middle of an undo step. */
const PASSED = 32;
/** Entries that a way back may have. */
const MOST_STEPS_BACK = 128;

export class RevisionRing {
  readonly #models = new Map<number, TimelineModel>();
  /** Revisions in the middle of a step, oldest first: of a long drag only the latest stay. */
  readonly #passed: number[] = [];

  constructor(revision: number, model: TimelineModel) {
    this.#models.set(revision, model);
  }

  /** Takes note of a revision that its step went on from. */
  pass(revision: number): void {
    this.#passed.push(revision);
    if (this.#passed.length > PASSED) this.#models.delete(this.#passed.shift()!);
  }

  push(revision: number, model: TimelineModel): void {
    this.#models.set(revision, model);
    if (this.#models.size > REVISIONS) this.#models.delete(this.#models.keys().next().value!);
  }

  get(revision: number): TimelineModel | null {
    return this.#models.get(revision) ?? null;
  }

  /** The timeline of a revision before those in memory, from the oldest in memory back through the journal; `null` if it is too far. */
  reach(
    revision: number,
    entryOf: (revision: number) => JournalEntry | null,
  ): TimelineModel | null {
    let [at, model] = this.#models.entries().next().value!;
    for (let steps = 0; at > revision; steps++) {
      if (steps === MOST_STEPS_BACK) return null;
      const entry = entryOf(at);
      if (entry === null) return null;
      if (entry.cause === "undo" || entry.cause === "redo") {
        const step = stepChangesOf(entryOf(entry.step));
        if (step === null) return null;
        model = replayChanges(model, entry.cause === "undo" ? step.redo : step.backward);
        at--;
      } else {
        if (entry.backward === undefined || entry.apart) return null;
        model = replayChanges(model, entry.backward);
        // A merged step leads back to before its first revision at once.
        at = entry.step - 1;
      }
    }
    return at === revision ? model : null;
  }
}

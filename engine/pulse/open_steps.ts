/**
 * The steps that more may be merged into: each client's last, while it gives the same `mergeKey`.
 *
 * A step stays open while others edit, so that two clients may drag at once and each drag is one step: where the others' steps touch nothing
 * of it, it is moved above them, and then takes what comes to it. An undo or redo closes all.
 *
 * @module
 */
import type { Footprint } from "./footprint.ts";
import {
  type History,
  type HistoryStep,
  MOST_MOVED,
  movedUnder,
  type StepHead,
} from "./history.ts";

/** Clients whose steps are open, at most. */
const MOST_CLIENTS = 64;

/** Where an edit goes that belongs to an open step. */
export interface Merge {
  /** Of the open step. */
  readonly index: number;
  readonly open: HistoryStep;
  readonly head: StepHead;
  /** The steps above it, as if they had been done before it. */
  readonly moved: readonly HistoryStep[];
}

export class OpenSteps {
  /** First revisions of the open steps. */
  readonly #byClient = new Map<string, { mergeKey: string; first: number }>();

  /** @param last The last step, if it is the timeline's last change. */
  constructor(last?: StepHead) {
    if (last !== undefined) this.note(last);
  }

  /** Takes note of a client's last step. One without a `mergeKey` is not open. */
  note({ clientId, mergeKey, first }: StepHead): void {
    this.#byClient.delete(clientId);
    if (mergeKey === undefined) return;
    this.#byClient.set(clientId, { mergeKey, first });
    if (this.#byClient.size > MOST_CLIENTS) {
      this.#byClient.delete(this.#byClient.keys().next().value!);
    }
  }

  /** Nothing is open any more. */
  close(): void {
    this.#byClient.clear();
  }

  /**
   * The open step that an edit belongs to, or `null`.
   *
   * @param headOf What a step is called, for one that the history does not name.
   */
  find(
    history: History,
    { clientId, mergeKey }: { clientId: string; mergeKey?: string },
    footprint: Footprint,
    headOf: (step: HistoryStep) => StepHead | null,
  ): Merge | null {
    const known = this.#byClient.get(clientId);
    if (mergeKey === undefined || known?.mergeKey !== mergeKey) return null;
    const least = Math.max(0, history.applied - 1 - MOST_MOVED);
    for (let index = history.applied - 1; index >= least; index--) {
      const open = history.steps[index];
      const head = headOf(open);
      if (head?.first !== known.first) continue;
      const moved = index === history.applied - 1 ? [] : movedUnder(history, index, footprint);
      return moved === null ? null : { index, open, head, moved };
    }
    return null;
  }
}

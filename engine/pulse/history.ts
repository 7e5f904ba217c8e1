/**
 * The undo history as a value: steps in the order they were done, and how many of them are applied.
 *
 * @module
 */
import type { HeadMapStep } from "../signal/model.ts";
import { LIMITS } from "./limits.ts";
import type { TimelineModel } from "./timeline_model.ts";

/** One undo step. */
export interface HistoryStep {
  /** First and last revision that it made. */
  readonly first: number;
  readonly last: number;
  readonly label: string;
  readonly clientId: string;
  readonly mergeKey?: string;
  /** The timelines around it, while they are kept in memory; else the journal has the way between them. */
  readonly memory?: {
    readonly before: TimelineModel;
    readonly after: TimelineModel;
    readonly map: readonly HeadMapStep[];
  };
}

export interface History {
  readonly steps: readonly HistoryStep[];
  /** The first this many steps are applied; the others can be done again. */
  readonly applied: number;
}

/** Steps whose timelines stay in memory; beyond them an undo reads the journal. */
export const STEPS_IN_MEMORY = 200;

export const emptyHistory: History = { steps: [], applied: 0 };

/** A step more. What was undone is forgotten, and so are the oldest steps beyond the limit. */
export function pushStep(history: History, step: HistoryStep): History {
  const steps = history.steps.slice(0, history.applied);
  steps.push(step);
  if (steps.length > LIMITS.undoSteps) steps.shift();
  const old = steps.length - 1 - STEPS_IN_MEMORY;
  if (old >= 0 && steps[old].memory !== undefined) {
    const { memory: _, ...rest } = steps[old];
    steps[old] = rest;
  }
  return { steps, applied: steps.length };
}

/** The last step replaced by one that holds it and what came to it. */
export function mergeStep(history: History, step: HistoryStep): History {
  return { ...history, steps: [...history.steps.slice(0, -1), step] };
}

/** The step that an undo takes back. */
export function stepToUndo({ steps, applied }: History): HistoryStep | undefined {
  return steps[applied - 1];
}

/** The step that a redo does again. */
export function stepToRedo({ steps, applied }: History): HistoryStep | undefined {
  return steps[applied];
}

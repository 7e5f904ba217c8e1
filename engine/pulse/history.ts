/**
 * The undo history as a value: steps in the order in which they are taken back, and how many of them are applied.
 *
 * @module
 */
import type { HeadMapStep } from "../signal/model.ts";
import { type Footprint, withThen } from "./footprint.ts";
import { LIMITS } from "./limits.ts";
import type { TimelineModel } from "./timeline_model.ts";

/** What a step is called, whose it is, and which revisions it made first and last. */
export interface StepHead {
  readonly first: number;
  readonly last: number;
  readonly label: string;
  readonly clientId: string;
  readonly mergeKey?: string;
  /** True where the timeline before it never was one that anybody saw: it, or another, was moved in the history. */
  readonly apart?: boolean;
}

/** The timelines around a step, and what it did to get from one to the other. */
export interface StepMemory {
  readonly before: TimelineModel;
  readonly after: TimelineModel;
  readonly map: readonly HeadMapStep[];
  readonly footprint: Footprint;
}

/** One undo step. Of what was done before the last start the journal knows the rest. */
export interface HistoryStep extends Pick<StepHead, "last"> {
  readonly head?: StepHead;
  /** While it is kept in memory; else the journal has the way between the timelines. */
  readonly memory?: StepMemory;
}

export interface History {
  readonly steps: readonly HistoryStep[];
  /** The first this many steps are applied; the others can be done again. */
  readonly applied: number;
}

/** Steps whose timelines stay in memory; beyond them an undo reads the journal. */
export const STEPS_IN_MEMORY = 200;

/** Steps of other clients over which an open one is moved, at most. */
export const MOST_MOVED = 16;

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

/** The step at `index` replaced by `step`, which holds it and what came to it, above the others; these may be others too. */
export function liftStep(
  history: History,
  index: number,
  step: HistoryStep,
  others: readonly HistoryStep[] = history.steps.slice(index + 1, history.applied),
): History {
  const steps = [...history.steps.slice(0, index), ...others, step];
  return { steps, applied: steps.length };
}

/** The last step replaced by one that holds it and what came to it. */
export function mergeStep(history: History, step: HistoryStep): History {
  return liftStep(history, history.applied - 1, step);
}

/**
 * The steps above the one at `index` as if they had been done before it, so that what it does comes last; `null` where they touch
 * something that it does, or where that is not known.
 *
 * @param more What is to come to the step.
 */
export function movedUnder(
  history: History,
  index: number,
  more: Footprint,
): HistoryStep[] | null {
  const open = history.steps[index].memory;
  const own = open?.footprint ?? null;
  if (open === undefined || own === null || more === null) return null;
  const moved: HistoryStep[] = [];
  let before = open.before;
  for (const { head, last, memory } of history.steps.slice(index + 1, history.applied)) {
    const keys = memory?.footprint ?? null;
    if (head === undefined || memory === undefined || keys === null) return null;
    if (!keys.isDisjointFrom(own) || !keys.isDisjointFrom(more)) return null;
    const after = withThen(memory.after, open.before, own);
    moved.push({ last, head: { ...head, apart: true }, memory: { ...memory, before, after } });
    before = after;
  }
  return moved;
}

/** The step that an undo takes back. */
export function stepToUndo({ steps, applied }: History): HistoryStep | undefined {
  return steps[applied - 1];
}

/** The step that a redo does again. */
export function stepToRedo({ steps, applied }: History): HistoryStep | undefined {
  return steps[applied];
}

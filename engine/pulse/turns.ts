/**
 * Long work in small pieces, counted: how it is divided does not depend on a clock.
 *
 * @module
 */

/** Says when as much was done as others should have to wait for. */
export class Turns {
  readonly #most: number;
  #done = 0;

  /** @param most Work of one turn, in units of the caller: together a fraction of a millisecond. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Takes note of work that was done; whether others are to have their turn now. */
  isOver(work = 1): boolean {
    this.#done += work;
    if (this.#done < this.#most) return false;
    this.#done = 0;
    return true;
  }
}

/**
 * Sorts by a number, smallest first; equal ones keep their order. Others may have their turn at each `yield`. What is in order already
 * costs one comparison an item.
 */
export function* sorting<T>(
  items: Iterable<T>,
  keyOf: (item: T) => number,
  turns: Turns,
): Generator<void, T[]> {
  let runs: T[][] = [];
  for (const item of items) {
    const run = runs.at(-1);
    if (run === undefined || keyOf(run.at(-1)!) > keyOf(item)) runs.push([item]);
    else run.push(item);
    if (turns.isOver()) yield;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(
        i + 1 < runs.length ? yield* merging(runs[i], runs[i + 1], keyOf, turns) : runs[i],
      );
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merging<T>(
  a: readonly T[],
  b: readonly T[],
  keyOf: (item: T) => number,
  turns: Turns,
): Generator<void, T[]> {
  const merged: T[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const isFirst = j === b.length || (i < a.length && keyOf(a[i]) <= keyOf(b[j]));
    merged.push(isFirst ? a[i++] : b[j++]);
    if (turns.isOver()) yield;
  }
  return merged;
}

/** Does all steps at once. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

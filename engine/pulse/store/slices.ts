/**
 * Long work on the main thread, in slices.
 *
 * @module
 */

/** Longest slice, in milliseconds: below the 5 that the main thread allows. */
const SLICE_MS = 3;

/** Takes all steps, each slice of them in a turn of its own. */
export async function inSlices<Result>(
  steps: Generator<void, Result>,
  slices: Pick<Slices, "turn"> = new Slices(),
): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await slices.turn();
  }
}

/** Gives the event loop its turn when a slice has lasted long enough. */
export class Slices {
  #begun = performance.now();

  /** @param sliceMs Shorter than the usual for what goes on while a user waits for answers. */
  constructor(private readonly sliceMs = SLICE_MS) {}

  /** To be awaited between small pieces of work. Costs a clock reading while the slice lasts. */
  async turn(): Promise<void> {
    if (performance.now() - this.#begun < this.sliceMs) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#begun = performance.now();
  }
}

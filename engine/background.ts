/**
 * Work that nobody waits for until the end.
 *
 * @module
 */

/** Promises that are under way, so that closing can wait for them. */
export class Background {
  readonly #underway = new Set<Promise<unknown>>();
  #ending = false;

  /** Runs on by itself; an error is reported, since nobody else hears of it. */
  run(work: Promise<unknown>): void {
    const tracked = work.catch((error) => {
      // What is cut off in the end fails in ways that say nothing.
      if (!this.#ending) console.error("Work in the background failed:", error);
    });
    this.#underway.add(tracked);
    tracked.finally(() => this.#underway.delete(tracked));
  }

  /** Waits until nothing is under way any more; errors are no longer reported. */
  async end(): Promise<void> {
    this.#ending = true;
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }
}

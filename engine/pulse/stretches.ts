/**
 * Stretches of a line that have been taken, so that each is counted once.
 *
 * @module
 */

/** Half-open stretches `[start, end)`, apart from each other, in order. */
export class Stretches {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** Takes `[start, end)`; tells each part of it that was not taken before, in order. */
  take(start: number, end: number, onNew: (start: number, end: number) => void): void {
    if (!(end > start)) return;
    const first = this.#firstThatEndsFrom(start);
    // Mostly it was taken already: of few files a timeline may have many clips.
    if (this.#starts[first] <= start && this.#ends[first] >= end) return;
    let after = first;
    let at = start;
    for (; after < this.#starts.length && this.#starts[after] <= end; after++) {
      if (this.#starts[after] > at) onNew(at, this.#starts[after]);
      at = Math.max(at, this.#ends[after]);
    }
    if (at < end) onNew(at, end);
    const joinedStart = first < after ? Math.min(start, this.#starts[first]) : start;
    const joinedEnd = Math.max(at, end);
    if (after - first === 1) {
      this.#starts[first] = joinedStart;
      this.#ends[first] = joinedEnd;
      return;
    }
    this.#starts.splice(first, after - first, joinedStart);
    this.#ends.splice(first, after - first, joinedEnd);
  }

  /** Whether all of `[start, end)` has been taken. */
  has(start: number, end: number): boolean {
    if (!(end > start)) return true;
    const first = this.#firstThatEndsFrom(start);
    return this.#starts[first] <= start && this.#ends[first] >= end;
  }

  /** First index whose stretch ends at or after `place`. */
  #firstThatEndsFrom(place: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle] < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

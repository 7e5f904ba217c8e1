/**
 * Work on files, so much of each volume at once: one that hangs holds up its own alone.
 *
 * @module
 */

/** A piece of work, begun once. */
export interface LaneWork {
  /** What it is known by. */
  readonly key: string;
  /** Says whether the volume answered in time. Must not reject. */
  run(): Promise<boolean>;
  done(): void;
}

interface Lane {
  running: number;
  /** The volume did not answer the last time: it is asked by one at a time until it does. */
  isSlow: boolean;
  urgent: LaneWork[];
  /** In order, from `next` on; those that were begun as urgent are passed over. */
  waiting: LaneWork[];
  next: number;
}

/** Lanes by volume. */
export class VolumeLanes {
  readonly #most: number;
  readonly #onDrained: (volume: string) => void;
  readonly #lanes = new Map<string, Lane>();
  readonly #waiting = new Map<string, { work: LaneWork; volume: string }>();
  #closed = false;

  /**
   * @param most Pieces of a volume that run at once.
   * @param onDrained Called when nothing of a volume waits or runs any more.
   */
  constructor(most: number, onDrained: (volume: string) => void = () => {}) {
    this.#most = most;
    this.#onDrained = onDrained;
  }

  /** Pieces that were not begun yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Puts a piece of work behind what waits of its volume, or before all of it. */
  add(volume: string, work: LaneWork, urgent = false): void {
    if (this.#closed) return;
    let lane = this.#lanes.get(volume);
    if (lane === undefined) {
      lane = { running: 0, isSlow: false, urgent: [], waiting: [], next: 0 };
      this.#lanes.set(volume, lane);
    }
    this.#waiting.set(work.key, { work, volume });
    (urgent ? lane.urgent : lane.waiting).push(work);
    this.#go(volume, lane);
  }

  /** What waits is next. Says whether it does. */
  hurry(key: string): boolean {
    const found = this.#waiting.get(key);
    if (found === undefined) return false;
    this.#lanes.get(found.volume)!.urgent.push(found.work);
    return true;
  }

  /** Whether nothing of a volume waits or runs. */
  isIdle(volume: string): boolean {
    return (this.#lanes.get(volume)?.running ?? 0) === 0;
  }

  /** Begins nothing any more. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
  }

  #go(volume: string, lane: Lane): void {
    while (!this.#closed && lane.running < (lane.isSlow ? 1 : this.#most)) {
      const work = this.#take(lane);
      if (work === undefined) {
        if (lane.running === 0) this.#onDrained(volume);
        return;
      }
      lane.running++;
      void work.run().then((answered) => {
        lane.isSlow = !answered;
        lane.running--;
        work.done();
        this.#go(volume, lane);
      });
    }
  }

  #take(lane: Lane): LaneWork | undefined {
    for (;;) {
      const work = lane.urgent.shift() ?? lane.waiting[lane.next++];
      if (work === undefined) {
        lane.waiting = [];
        lane.next = 0;
        return undefined;
      }
      if (this.#waiting.delete(work.key)) return work;
    }
  }
}

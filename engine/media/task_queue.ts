/**
 * Long work in short steps on one thread: by priority, fairly among equals, with room for messages between any two steps.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Work of which each `next()` takes a few milliseconds at most. */
export type Steps<T> = Generator<void, T>;

/** What a cancelled task's promise rejects with. */
export class CancelledError extends Error {
  override name = "CancelledError";
}

/** A task in the queue. */
export interface Task<T> {
  readonly done: Promise<T>;
  /** Higher goes first; equals take turns. */
  priority: number;
  /** Ends it at its next step; its generator's `finally` blocks run. Does nothing once it is done. */
  cancel(): void;
}

/**
 * So many tasks of equal priority are under way at once: each holds files and memory, so the others wait their turn. One of higher
 * priority than all of them starts regardless.
 */
const MAX_STARTED = 4;

interface Entry {
  task: { priority: number };
  started: boolean;
  steps: Steps<unknown>;
  turn: number;
  settle: { resolve: (value: unknown) => void; reject: (reason: unknown) => void };
}

/** Runs tasks until there are none. */
export class TaskQueue {
  #entries: Entry[] = [];
  #turn = 0;
  #running = false;

  /** Adds work. Its first step is taken after the present message. */
  add<T>(steps: Steps<T>, priority: number): Task<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const task: Task<T> = {
      done: promise,
      priority,
      cancel: () => this.#cancel(entry),
    };
    const entry: Entry = {
      task,
      started: false,
      steps,
      turn: this.#turn,
      settle: { resolve: resolve as (value: unknown) => void, reject },
    };
    this.#entries.push(entry);
    if (!this.#running) this.#start();
    return task;
  }

  /** Cancels all. */
  clear(): void {
    for (const entry of [...this.#entries]) this.#cancel(entry);
  }

  #start(): void {
    this.#running = true;
    // By an immediate and a message of our own in turn. Some thirty immediates run for each message that comes from elsewhere, and a message
    // channel alone starves those altogether; one after the other, what comes waits for a step or two. Timers wait a millisecond each.
    const { port1, port2 } = new MessageChannel();
    const soon = () => void setImmediate(() => port2.postMessage(0));
    port1.onmessage = () => {
      const entry = this.#next();
      if (entry === undefined) {
        this.#running = false;
        port1.close();
        port2.close();
        return;
      }
      this.#step(entry);
      soon();
    };
    soon();
  }

  /** Of those with the highest priority that are under way or may be, the one whose turn is longest ago. */
  #next(): Entry | undefined {
    const priority = Math.max(...this.#entries.map((entry) => entry.task.priority));
    const equals = this.#entries.filter((entry) => entry.task.priority === priority);
    const room = equals.filter((entry) => entry.started).length < MAX_STARTED;
    let best: Entry | undefined;
    for (const entry of equals) {
      if (!entry.started && !room) continue;
      if (best === undefined || entry.turn < best.turn) best = entry;
    }
    return best;
  }

  #step(entry: Entry): void {
    entry.turn = ++this.#turn;
    entry.started = true;
    try {
      const { done, value } = entry.steps.next();
      if (!done) return;
      this.#remove(entry);
      entry.settle.resolve(value);
    } catch (error) {
      this.#remove(entry);
      entry.settle.reject(error);
    }
  }

  #cancel(entry: Entry): void {
    if (!this.#entries.includes(entry)) return;
    this.#remove(entry);
    try {
      entry.steps.return(undefined);
    } catch {
      // It failed while it cleaned up: it is over all the same.
    }
    entry.settle.reject(new CancelledError("Cancelled"));
  }

  #remove(entry: Entry): void {
    this.#entries = this.#entries.filter((other) => other !== entry);
  }
}

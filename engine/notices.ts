/**
 * Who hears what: the engine's one list of listeners.
 *
 * @module
 */
import type { Notification } from "./api.ts";

/** Sends a notification to every listener, at once and in order. */
export type Notify = (notification: Notification) => void;

/** Listeners in the order in which they came. A notification that a listener causes is sent after the one under way. */
export class Notices {
  readonly #listeners = new Set<(notification: Notification) => void>();
  readonly #waiting: Notification[] = [];
  #sending = false;

  /** Adds a listener; the result takes it away again. The same function twice counts twice. */
  listen(listener: (notification: Notification) => void): () => void {
    const own = (notification: Notification) => listener(notification);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Calls every listener before it returns, unless a listener of an earlier notification is what called. */
  readonly notify: Notify = (notification) => {
    this.#waiting.push(notification);
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
        for (const listener of this.#listeners) this.#call(listener, next);
      }
    } finally {
      this.#sending = false;
    }
  };

  /** Listeners may not throw; one that does is reported and the others still hear. */
  #call(listener: (notification: Notification) => void, notification: Notification): void {
    try {
      listener(notification);
    } catch (error) {
      console.error(`A listener of ${notification.method} threw:`, error);
    }
  }
}

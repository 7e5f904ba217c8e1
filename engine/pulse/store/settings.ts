/**
 * Single values by key, as JSON.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";

export class Settings {
  readonly #get: StatementSync;
  readonly #set: StatementSync;
  readonly #remove: StatementSync;

  /** @param onChange Called after each change. */
  constructor(database: DatabaseSync, private readonly onChange: () => void = () => {}) {
    this.#get = database.prepare("SELECT value FROM setting WHERE key = ?");
    this.#set = database.prepare("INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)");
    this.#remove = database.prepare("DELETE FROM setting WHERE key = ?");
  }

  /** `undefined` where there is none, or where it cannot be read. */
  get(key: string): unknown {
    const row = this.#get.get(key);
    if (row === undefined) return undefined;
    try {
      return JSON.parse(row.value as string);
    } catch {
      return undefined;
    }
  }

  /** `undefined` takes the value away. */
  set(key: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (text === undefined) this.#remove.run(key);
    else this.#set.run(key, text);
    this.onChange();
  }
}

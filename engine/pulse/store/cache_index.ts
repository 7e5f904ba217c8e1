/**
 * What lies in the cold cache and when it was used last. The cache is disposable: a row may speak of a file that is gone.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";

export interface CacheEntry {
  readonly key: string;
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly usedMs: number;
}

export class CacheIndex {
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #touch: StatementSync;
  readonly #remove: StatementSync;

  constructor(
    private readonly database: DatabaseSync,
    private readonly onChange: () => void = () => {},
  ) {
    this.#get = database.prepare("SELECT * FROM cache_entry WHERE key = ?");
    this.#put = database.prepare("INSERT OR REPLACE INTO cache_entry VALUES (?, ?, ?, ?)");
    this.#touch = database.prepare("UPDATE cache_entry SET used_ms = ? WHERE key = ?");
    this.#remove = database.prepare("DELETE FROM cache_entry WHERE key = ?");
  }

  get(key: string): CacheEntry | undefined {
    const row = this.#get.get(key);
    return row === undefined ? undefined : entryOf(row);
  }

  put(key: string, path: string, bytes: number): void {
    this.#put.run(key, path, bytes, Date.now());
    this.onChange();
  }

  /** It was used now. */
  touch(key: string): void {
    this.#touch.run(Date.now(), key);
    this.onChange();
  }

  remove(key: string): void {
    this.#remove.run(key);
    this.onChange();
  }

  /** Bytes of all entries. */
  get bytes(): number {
    const row = this.database.prepare("SELECT coalesce(sum(bytes), 0) AS bytes FROM cache_entry")
      .get();
    return Number(row!.bytes);
  }

  /** The entries that were not used for longest. */
  oldest(limit: number): CacheEntry[] {
    return this.database.prepare("SELECT * FROM cache_entry ORDER BY used_ms LIMIT ?").all(limit)
      .map(entryOf);
  }
}

function entryOf(row: Record<string, unknown>): CacheEntry {
  return {
    key: row.key as string,
    path: row.path as string,
    bytes: Number(row.bytes),
    usedMs: Number(row.used_ms),
  };
}

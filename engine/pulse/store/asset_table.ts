/**
 * The assets of a project, in order of registration.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Asset } from "../types.ts";

/** An asset and what identifies its file's bytes, in the words of whoever keeps it (JSON). */
export interface AssetRow<Identity = unknown> {
  readonly asset: Asset;
  readonly identity: Identity;
}

/** A row with its place in the order of registration, greater than that of all before it. */
export interface NumberedRow<Identity = unknown> extends AssetRow<Identity> {
  readonly number: number;
}

export class AssetTable<Identity = unknown> {
  readonly #put: StatementSync;
  readonly #byId: StatementSync;
  readonly #byPath: StatementSync;
  readonly #remove: StatementSync;
  readonly #page: StatementSync;
  readonly #some: StatementSync;
  readonly #count: StatementSync;

  /** @param onChange Called after each change. */
  constructor(database: DatabaseSync, private readonly onChange: () => void = () => {}) {
    this.#put = database.prepare(`
      INSERT INTO asset (asset_id, path, asset, identity) VALUES (?, ?, ?, ?)
      ON CONFLICT (asset_id) DO UPDATE SET path = excluded.path, asset = excluded.asset, identity = excluded.identity
    `);
    this.#byId = database.prepare("SELECT asset, identity FROM asset WHERE asset_id = ?");
    this.#byPath = database.prepare("SELECT asset, identity FROM asset WHERE path = ?");
    this.#remove = database.prepare("DELETE FROM asset WHERE asset_id = ?");
    this.#page = database.prepare(
      "SELECT number, asset, identity FROM asset WHERE number > ? ORDER BY number LIMIT ?",
    );
    this.#some = database.prepare(
      "SELECT number, asset, identity FROM asset ORDER BY number LIMIT ? OFFSET ?",
    );
    this.#count = database.prepare("SELECT count(*) AS count FROM asset");
  }

  /** Keeps an asset: a new one below the others, a known one in its place. Throws if another asset has its path. */
  put(asset: Asset, identity: Identity): void {
    this.#put.run(
      asset.assetId,
      asset.path,
      JSON.stringify(asset),
      identity === undefined ? null : JSON.stringify(identity),
    );
    this.onChange();
  }

  get(assetId: string): AssetRow<Identity> | undefined {
    return rowOf(this.#byId.get(assetId));
  }

  byPath(path: string): AssetRow<Identity> | undefined {
    return rowOf(this.#byPath.get(path));
  }

  remove(assetId: string): void {
    this.#remove.run(assetId);
    this.onChange();
  }

  get size(): number {
    return Number(this.#count.get()!.count);
  }

  /** The next assets in order of registration, behind the one of that number; fewer than `most` are the last. */
  after(number: number, most: number): NumberedRow<Identity>[] {
    return this.#page.all(number, most).map(numberedRowOf<Identity>);
  }

  /** Assets in order of registration, from a place in the list on. */
  some(offset: number, most: number): NumberedRow<Identity>[] {
    return this.#some.all(most, offset).map(numberedRowOf<Identity>);
  }

  /** All assets in order of registration, at once: for few. */
  all(): AssetRow<Identity>[] {
    return this.#page.all(0, -1).map((row) => rowOf<Identity>(row)!);
  }
}

function numberedRowOf<Identity>(row: Record<string, unknown>): NumberedRow<Identity> {
  return { number: Number(row.number), ...rowOf<Identity>(row)! };
}

function rowOf<Identity>(row: Record<string, unknown> | undefined): AssetRow<Identity> | undefined {
  if (row === undefined) return undefined;
  return {
    asset: JSON.parse(row.asset as string),
    identity: row.identity === null ? undefined as Identity : JSON.parse(row.identity as string),
  };
}

/**
 * The assets of a project, in order of registration.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Asset } from "../types.ts";
import { Slices } from "./slices.ts";

/** An asset and what identifies its file's bytes, in the words of whoever keeps it (JSON). */
export interface AssetRow<Identity = unknown> {
  readonly asset: Asset;
  readonly identity: Identity;
}

export class AssetTable<Identity = unknown> {
  readonly #put: StatementSync;
  readonly #byId: StatementSync;
  readonly #byPath: StatementSync;
  readonly #remove: StatementSync;
  readonly #page: StatementSync;
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

  /** All assets in order of registration, read in slices. */
  async load(): Promise<AssetRow<Identity>[]> {
    const slices = new Slices();
    const rows: AssetRow<Identity>[] = [];
    let last = 0;
    for (;;) {
      const page = this.#page.all(last, 64);
      for (const row of page) rows.push(rowOf<Identity>(row)!);
      if (page.length < 64) return rows;
      last = Number(page[page.length - 1].number);
      await slices.turn();
    }
  }

  /** All assets in order of registration, at once: for few. */
  all(): AssetRow<Identity>[] {
    return this.#page.all(0, -1).map((row) => rowOf<Identity>(row)!);
  }
}

function rowOf<Identity>(row: Record<string, unknown> | undefined): AssetRow<Identity> | undefined {
  if (row === undefined) return undefined;
  return {
    asset: JSON.parse(row.asset as string),
    identity: row.identity === null ? undefined as Identity : JSON.parse(row.identity as string),
  };
}

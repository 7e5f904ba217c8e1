/**
 * The registered assets of a project, read from its file as they are asked for: what a head plays is there before ten thousand others are.
 *
 * @module
 */
import type { Asset, OfflineStatus } from "../types.ts";
import { type AssetEntry, entryOf, type FileIdentity, statusOf } from "./asset_entry.ts";

/** An asset as a project file has it. */
export interface AssetRow {
  readonly asset: Asset;
  readonly identity?: FileIdentity | undefined;
}

/** Where assets are kept, in order of registration. */
export interface AssetRows {
  get(assetId: string): AssetRow | undefined;
  byPath(path: string): AssetRow | undefined;
  /** The next ones behind a number; fewer than `most` are the last. */
  after(number: number, most: number): (AssetRow & { readonly number: number })[];
  /** From a place in the list on. */
  some(offset: number, most: number): AssetRow[];
  readonly size: number;
}

/** Rows of one reading on: together a fraction of a millisecond. */
export const ROWS_A_TURN = 32;

/** Entries by id and by path, in order of registration. */
export class AssetShelf {
  /** Those whose turn in the order has come. */
  readonly #entries = new Map<string, AssetEntry>();
  /** Those that were asked for, or registered, before. */
  readonly #early = new Map<string, AssetEntry>();
  readonly #byPath = new Map<string, string>();
  /** `null` once all are read. */
  #rows: AssetRows | null = null;
  #lastNumber = 0;

  /** Begins with what is kept, of which nothing is read yet. */
  open(rows: AssetRows): void {
    this.#entries.clear();
    this.#early.clear();
    this.#byPath.clear();
    this.#rows = rows;
    this.#lastNumber = 0;
  }

  /** Whether all assets are read. */
  get isWhole(): boolean {
    return this.#rows === null;
  }

  /** How many there are, read or not. */
  get size(): number {
    return this.#rows === null ? this.#entries.size : this.#rows.size;
  }

  /** How many are read. */
  get read(): number {
    return this.#entries.size + this.#early.size;
  }

  /** An asset that is not read yet is read. */
  get(assetId: string): AssetEntry | undefined {
    return this.#entries.get(assetId) ?? this.#early.get(assetId) ??
      this.#take(this.#rows?.get(assetId));
  }

  at(path: string): AssetEntry | undefined {
    const assetId = this.#byPath.get(path);
    return assetId === undefined ? this.#take(this.#rows?.byPath(path)) : this.get(assetId);
  }

  /** A new one is the last in order. */
  add(entry: AssetEntry): void {
    const { assetId, path } = entry.asset;
    // What is kept behind its back is read in its turn.
    (this.#rows === null ? this.#entries : this.#early).set(assetId, entry);
    this.#byPath.set(path, assetId);
  }

  delete({ asset: { assetId, path } }: AssetEntry): void {
    this.#entries.delete(assetId);
    this.#early.delete(assetId);
    this.#byPath.delete(path);
  }

  /** All that are read: in order of registration once the shelf is whole. */
  *values(): Generator<AssetEntry> {
    yield* this.#entries.values();
    yield* this.#early.values();
  }

  /** How many are of a status, all unless told. What is not read is not looked at either. */
  count(status?: OfflineStatus): number {
    if (status === undefined) return this.size;
    let count = status === "pending" ? this.size - this.read : 0;
    for (const entry of this.values()) if (statusOf(entry) === status) count++;
    return count;
  }

  /** All, or those of a status, from the place `offset` of these on; in order of registration, and read no further than the caller goes. */
  *from(offset: number, status?: OfflineStatus): Generator<AssetEntry> {
    // Without a status the places are those of all.
    let place = status === undefined && !this.isWhole ? offset : 0;
    const isAnywhere = status === undefined || status === "pending";
    for (const entry of isAnywhere ? this.#all(place) : this.values()) {
      if (status !== undefined && statusOf(entry) !== status) continue;
      if (place++ >= offset) yield entry;
    }
  }

  *#all(offset: number): Generator<AssetEntry> {
    const rows = this.#rows;
    if (rows === null) return yield* this.#entries.values();
    for (;; offset += ROWS_A_TURN) {
      const some = rows.some(offset, ROWS_A_TURN);
      for (const row of some) yield this.#known(row);
      if (some.length < ROWS_A_TURN) return;
    }
  }

  /** Reads the next ones. Says whether there are more. */
  readOn(most = ROWS_A_TURN): boolean {
    if (this.#rows === null) return false;
    const rows = this.#rows.after(this.#lastNumber, most);
    for (const row of rows) {
      const entry = this.#known(row);
      const { assetId } = entry.asset;
      this.#early.delete(assetId);
      this.#entries.set(assetId, entry);
      this.#lastNumber = row.number;
    }
    if (rows.length === most) return true;
    this.#rows = null;
    // Those that could not be kept.
    for (const [assetId, entry] of this.#early) this.#entries.set(assetId, entry);
    this.#early.clear();
    return false;
  }

  #known(row: AssetRow): AssetEntry {
    const { assetId } = row.asset;
    return this.#entries.get(assetId) ?? this.#early.get(assetId) ?? this.#take(row)!;
  }

  #take(row: AssetRow | undefined): AssetEntry | undefined {
    if (row === undefined) return undefined;
    const entry = entryOf(row);
    this.#early.set(entry.asset.assetId, entry);
    this.#byPath.set(entry.asset.path, entry.asset.assetId);
    return entry;
  }
}

/**
 * Tells which assets' files are broken in part: once for each state of a file, whoever met it, analysis or playback.
 *
 * @module
 */
import { EngineError } from "../../errors.ts";
import { type FileDamage, MOST_RUNS } from "../../signal/damage.ts";
import type { SignalApi } from "../../signal/signal_api.ts";
import type { Asset } from "../types.ts";
import { type AssetEntry, sameBytes } from "./asset_entry.ts";
import type { Assets } from "./assets.ts";

/** Most damaged files that are remembered; the oldest news goes first. */
const MOST_FILES = 1_024;

export interface DamageWatchOptions {
  signal: () => Pick<SignalApi, "takeDamage">;
  assets: Pick<Assets, "entries" | "heard" | "entry" | "damaged">;
  /** How far the analysis is with an asset: while it reads, more may be found; what it took from the cache it has not read. */
  reading: (assetId: string) => "underway" | "whole" | "not";
}

/** Owned by a session; `tick` it now and then. */
export class DamageWatch {
  readonly #options: DamageWatchOptions;
  readonly #known = new Map<number, FileDamage>();

  constructor(options: DamageWatchOptions) {
    this.#options = options;
  }

  /** Looks for news and tells it. */
  tick(): void {
    const news = this.#options.signal().takeDamage();
    for (const damage of news) {
      this.#known.delete(damage.inode);
      this.#known.set(damage.inode, damage);
      if (this.#known.size > MOST_FILES) this.#known.delete(this.#known.keys().next().value!);
    }
    if (this.#known.size === 0) return;
    // What is listened to may have been known to be broken before.
    for (const entry of this.#options.assets.heard()) this.#see(entry);
    if (news.length === 0) return;
    for (const entry of this.#options.assets.entries()) this.#see(entry);
  }

  /** The analysis of an asset has ended, or the asset is new: what was known of its file before is told now. */
  see(assetId: string): void {
    const entry = this.#options.assets.entry(assetId);
    if (entry) this.#see(entry);
  }

  #see({ asset, identity }: AssetEntry): void {
    const damage = this.#known.get(identity.inode);
    if (damage === undefined || !sameBytes(damage, identity)) return;
    const reading = this.#options.reading(asset.assetId);
    if (reading === "underway") return;
    this.#options.assets.damaged(asset.assetId, damageError(asset, damage, reading === "whole"));
  }
}

/**
 * The error that tells of a file's damage.
 *
 * @param isWhole Whether all of the file was read, so that nothing else is to be found.
 */
export function damageError(
  { assetId, path, sampleRate }: Pick<Asset, "assetId" | "path" | "sampleRate">,
  { runs, firstSample, samples }: FileDamage,
  isWhole: boolean,
): EngineError {
  const atLeast = isWhole && runs < MOST_RUNS ? "" : "at least ";
  const where = `sample ${firstSample} (${clockTime(firstSample / sampleRate)})`;
  const length = `${samples} samples (${(samples / sampleRate).toFixed(3)} s)`;
  const what = runs === 1
    ? `${atLeast}1 run of broken samples begins at ${where}, ${length} long; it is silence in its place`
    : `${atLeast}${runs} runs of samples are broken, the first at ${where}, ${length} together; they are silence in their places`;
  return new EngineError(
    "asset.damaged",
    `Cannot decode all of ${JSON.stringify(path)}: ${what}. Get the file again from where it came`,
    { assetId, path, runs, firstSample, samples },
  );
}

/** Hours where there are any, minutes, seconds with their thousandths. */
function clockTime(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const two = (x: number) => String(Math.floor(x) % 60).padStart(2, "0");
  const hours = Math.floor(ms / 3_600_000);
  const tail = `${two(ms / 1000)}.${String(ms % 1000).padStart(3, "0")}`;
  return hours > 0 ? `${hours}:${two(ms / 60_000)}:${tail}` : `${Math.floor(ms / 60_000)}:${tail}`;
}

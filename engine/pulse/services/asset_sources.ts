/**
 * Opening the files of assets, each within its time, so many of a volume at once.
 *
 * @module
 */
import { withinMs } from "../../bounded.ts";
import { EngineError } from "../../errors.ts";
import { Limiter } from "../../limiter.ts";
import type { SignalApi, SourceInfo } from "../../signal/signal_api.ts";

/** Files of one volume opened at the same time: one that hangs holds up its own alone, and few of the threads that all share. */
export const OPENING = 4;
/** How long opening a file may take, in milliseconds. */
const OPEN_MS = 10_000;

export interface AssetSourcesOptions {
  /** Names what a path shares its fate with. */
  volumeOf: (path: string) => string;
  /** Whether an asset's source is open meanwhile: one that comes too late does not close it. */
  isBound: (assetId: string) => boolean;
}

/** Opens sources. */
export class AssetSources {
  readonly #options: AssetSourcesOptions;
  /** By volume. */
  readonly #limits = new Map<string, Limiter>();
  readonly #opening = new Set<Promise<unknown>>();

  constructor(options: AssetSourcesOptions) {
    this.#options = options;
  }

  /** @throws {EngineError} as `SignalApi.openSource`, and `asset.unreadable` for a disk that does not answer in time. */
  async open(signal: SignalApi, assetId: string, path: string): Promise<SourceInfo> {
    let late = false;
    const opening = this.#limitOf(path).run(() => {
      if (late) return Promise.reject(new Error(`Nobody waits for ${path} any more`));
      return signal.openSource(assetId, path);
    });
    this.#opening.add(opening);
    opening.finally(() => this.#opening.delete(opening)).catch(() => {}); // Told below.
    const info = await withinMs(opening, OPEN_MS, null);
    if (info !== null) return info;
    late = true;
    opening.then(() => {
      if (!this.#options.isBound(assetId)) signal.closeSource(assetId);
    }, () => {});
    throw new EngineError(
      "asset.unreadable",
      `Cannot read ${path}: its disk did not answer within ${
        OPEN_MS / 1_000
      } s; check that it is connected`,
      { path, reason: "slow" },
    );
  }

  /** Waits until no source is being opened. */
  async settled(): Promise<void> {
    while (this.#opening.size > 0) await Promise.allSettled(this.#opening);
  }

  #limitOf(path: string): Limiter {
    const volume = this.#options.volumeOf(path);
    let limit = this.#limits.get(volume);
    if (limit === undefined) this.#limits.set(volume, limit = new Limiter(OPENING));
    return limit;
  }
}

/**
 * Sources of assets that are in no project, open for as long as somebody listens to them.
 *
 * @module
 */
import type { SignalApi } from "../../signal/signal_api.ts";

/** A source that is open, and what its header says. */
export interface HeldSource {
  readonly sampleRate: number;
  /** At its own rate. */
  readonly lengthSamples: number;
  /** Call it once; the source is closed with the last. */
  release(): void;
}

interface Held {
  count: number;
  readonly signal: SignalApi;
  readonly shape: Promise<{ sampleRate: number; lengthSamples: number }>;
}

/** Counts those that listen to each. */
export class AssetHolds {
  readonly #held = new Map<string, Held>();

  /**
   * @param open Opens the source and binds it to the asset.
   * @param isKept Whether somebody else has taken the source over meanwhile, so that it is not closed here.
   */
  async hold(
    assetId: string,
    signal: SignalApi,
    open: () => Promise<{ sampleRate: number; frames: number }>,
    isKept: () => boolean,
  ): Promise<HeldSource> {
    let held = this.#held.get(assetId);
    if (held === undefined || held.signal !== signal) {
      const shape = open().then(({ sampleRate, frames }) => ({
        sampleRate,
        lengthSamples: frames,
      }));
      this.#held.set(assetId, held = { count: 0, signal, shape });
    }
    held.count++;
    const mine = held;
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      if (--mine.count > 0) return;
      if (this.#held.get(assetId) === mine) this.#held.delete(assetId);
      if (!isKept()) mine.signal.closeSource(assetId);
    };
    try {
      return { ...await mine.shape, release };
    } catch (error) {
      release();
      throw error;
    }
  }
}

/**
 * Warns that voices are silent for want of memory: once, until all of them have played for a while.
 *
 * @module
 */
import type { SignalApi } from "../../signal/signal_api.ts";

/** After so long without a refused voice, in milliseconds, the next one is news again. */
export const CALM_MS = 60_000;
/** Of a unit of the page store. */
const UNIT_BYTES = 16_384;

export interface VoiceWatchOptions {
  signal: () => Pick<SignalApi, "counters" | "nowMs">;
  warn: (code: string, message: string, details: Record<string, unknown>) => void;
}

/** Owned by the engine; `tick` it now and then. */
export class VoiceWatch {
  readonly #options: VoiceWatchOptions;
  #missing = 0;
  /** When voices were refused last, `null` before the first time. */
  #refusedMs: number | null = null;

  constructor(options: VoiceWatchOptions) {
    this.#options = options;
  }

  /** Looks, and warns where voices have begun to be refused. */
  tick(): void {
    const signal = this.#options.signal();
    const { voicesRefused, units, "missing.budget": missing } = signal.counters();
    // A mixdown waits for its voices: only what was to be heard is missed.
    const missed = missing > this.#missing && voicesRefused > 0;
    this.#missing = missing;
    if (!missed) return;
    const now = signal.nowMs();
    const isNews = this.#refusedMs === null || now - this.#refusedMs >= CALM_MS;
    this.#refusedMs = now;
    if (!isNews) return;
    const budgetBytes = units * UNIT_BYTES;
    const voices = voicesRefused === 1 ? "1 voice is" : `${voicesRefused} voices are`;
    this.#options.warn(
      "voices.refused",
      `${voices} silent: two pages for each voice that plays do not fit into ${
        Math.round(budgetBytes / 1e6)
      } MB; ` + "start with more --memory-mb, or let fewer tracks play at a time",
      { voices: voicesRefused, budgetBytes },
    );
  }
}

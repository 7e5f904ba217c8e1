/**
 * A stretch of an asset that stays resident: the native window behind a ClipWindow, made anew when the asset's source is another one.
 *
 * @module
 */
import { check } from "../../ffi/check.ts";
import type { NativeSymbols } from "../../ffi/library.ts";
import type { SignalWindow, WindowRange } from "./signal_api.ts";

export class PageWindow implements SignalWindow {
  readonly range: WindowRange;
  readonly #symbols: NativeSymbols;
  readonly #engine: number;
  readonly #sourceOf: (assetId: string) => number;
  readonly #onClosed: (window: PageWindow) => void;
  readonly #state = new Float64Array(2);
  #window = 0;

  /** @throws {NativeError} `limit` where the budget does not allow it, `state` where too many are open. */
  constructor(
    symbols: NativeSymbols,
    engine: number,
    sourceOf: (assetId: string) => number,
    range: WindowRange,
    onClosed: (window: PageWindow) => void,
  ) {
    this.#symbols = symbols;
    this.#engine = engine;
    this.#sourceOf = sourceOf;
    this.range = range;
    this.#onClosed = onClosed;
    this.#open();
  }

  #open(): void {
    const { assetId, startFrame, endFrame, cohort, rate, isLooping } = this.range;
    const source = this.#sourceOf(assetId);
    if (source === 0) return; // Its file cannot be read: nothing is held until it can.
    this.#window = check(
      this.#symbols.lp_window_request(
        this.#engine,
        source,
        startFrame,
        endFrame,
        (cohort === "anticipative" ? 1 : 0) | (isLooping ? 2 : 0),
        rate,
      ),
      `hold frames ${startFrame} … ${endFrame}`,
    );
  }

  look(): boolean {
    if (this.#window === 0) return false;
    return check(
      this.#symbols.lp_window_state(this.#window, this.#state, this.#state.length),
      "look after a window",
    ) === 1;
  }

  /** The asset's source is another one: its pages are held instead, as far as the budget allows. */
  rebound(): void {
    if (this.#window !== 0) this.#symbols.lp_window_release(this.#window);
    this.#window = 0;
    try {
      this.#open();
    } catch {
      // Longer than before, and there is no room for that: it is not held.
    }
  }

  [Symbol.dispose](): void {
    if (this.#window !== 0) this.#symbols.lp_window_release(this.#window);
    this.#window = 0;
    this.#onClosed(this);
  }
}

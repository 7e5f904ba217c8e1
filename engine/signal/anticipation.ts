/**
 * The plan of what may be wanted soon, as the native side takes it (`lp_anticipate_set`).
 *
 * @module
 */
import { check } from "../../ffi/check.ts";
import type { NativeSymbols } from "../../ffi/library.ts";
import type { AnticipationState, WantedStretch } from "./signal_api.ts";

/** `LP_MOST_STRETCHES`. What comes after them ranks last, and is left out. */
const MOST_STRETCHES = 65_536;
const FIELDS = 4;
const STATE_FIELDS = 6;

/** Sends plans to the native side, each only if it differs from the one before. */
export class AnticipationPlan {
  readonly #symbols: NativeSymbols;
  readonly #engine: number;
  readonly #sourceOf: (assetId: string) => number;
  readonly #state = new Float64Array(STATE_FIELDS);
  #sent = new Float64Array(0);
  #number = 0;

  constructor(symbols: NativeSymbols, engine: number, sourceOf: (assetId: string) => number) {
    this.#symbols = symbols;
    this.#engine = engine;
    this.#sourceOf = sourceOf;
  }

  /** @returns the number of the plan that says so: a new one, or that of the last. */
  set(stretches: readonly WantedStretch[]): number {
    const records = new Float64Array(Math.min(stretches.length, MOST_STRETCHES) * FIELDS);
    let length = 0;
    for (const { assetId, startFrame, endFrame, rankMs } of stretches) {
      if (length === records.length) break;
      const source = this.#sourceOf(assetId);
      if (source === 0) continue;
      records[length++] = source;
      records[length++] = Math.max(0, Math.floor(startFrame));
      records[length++] = Math.max(0, Math.ceil(endFrame));
      records[length++] = rankMs;
    }
    const plan = records.subarray(0, length);
    if (this.#number !== 0 && sameNumbers(plan, this.#sent)) return this.#number;
    this.#number = check(
      this.#symbols.lp_anticipate_set(this.#engine, plan, length / FIELDS),
      `anticipate ${length / FIELDS} stretches`,
    );
    this.#sent = plan;
    return this.#number;
  }

  state(): AnticipationState {
    const s = this.#state;
    check(this.#symbols.lp_anticipate_read(this.#engine, s, s.length), "look after anticipation");
    return {
      wantedPages: s[0],
      residentPages: s[1],
      budgetUnits: s[2],
      listedPages: s[3],
      plan: s[4],
      settled: s[5] === 1,
    };
  }
}

function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

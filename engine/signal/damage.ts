/**
 * What native code found broken in compressed files.
 *
 * @module
 */
import { check } from "../../ffi/check.ts";
import type { NativeLibrary } from "../../ffi/library.ts";

/** Runs that are told apart in one file; so many means at least so many. */
export const MOST_RUNS = 256;

/** One state of one file, and what of it cannot be decoded and is silence. Samples are frames at the file's own rate. */
export interface FileDamage {
  device: number;
  inode: number;
  bytes: number;
  mtimeMs: number;
  ctimeMs: number;
  /** 1 … {@linkcode MOST_RUNS}, none touching another. */
  runs: number;
  firstSample: number;
  /** In all runs together. */
  samples: number;
}

/** Numbers in a record of `lp_damage_since`. */
const RECORD = 11;
const ROOM = 32;

/** News since the last time it was asked; a file's later record replaces its earlier one. */
export class DamageLog {
  readonly #symbols: Pick<NativeLibrary["symbols"], "lp_damage_since">;
  readonly #records = new Float64Array(ROOM * RECORD);
  #last = 0;

  constructor(symbols: Pick<NativeLibrary["symbols"], "lp_damage_since">) {
    this.#symbols = symbols;
  }

  take(): FileDamage[] {
    const taken: FileDamage[] = [];
    for (;;) {
      const r = this.#records;
      const count = check(
        this.#symbols.lp_damage_since(this.#last, r, r.length),
        "read what is broken in files",
      );
      for (let at = 0; at < count * RECORD; at += RECORD) {
        this.#last = r[at];
        taken.push({
          device: r[at + 1],
          inode: r[at + 2],
          bytes: r[at + 3],
          mtimeMs: r[at + 4] * 1000 + r[at + 5] / 1e6,
          ctimeMs: r[at + 6] * 1000 + r[at + 7] / 1e6,
          runs: r[at + 8],
          firstSample: r[at + 9],
          samples: r[at + 10],
        });
      }
      if (count < ROOM) return taken;
    }
  }
}

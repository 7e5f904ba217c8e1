/**
 * The one door for native results.
 *
 * @module
 */

/** `enum lp_result` by name. */
export const RESULTS = {
  "-1": ["argument", "a value is out of range"],
  "-2": ["memory", "there is no memory for it"],
  "-3": ["handle", "it is not open any more"],
  "-4": ["io", "the system refused"],
  "-5": ["absent", "there is no such file"],
  "-6": ["unsupported", "it is of a kind that is not supported"],
  "-7": ["unreadable", "it is damaged"],
  "-8": ["state", "that is not possible in the present state"],
  "-9": ["device", "the audio system refused"],
  "-10": ["limit", "a limit would be exceeded"],
  "-11": ["timeout", "the time given has passed"],
  "-12": ["closing", "the engine is closing"],
} as const satisfies Readonly<Record<string, readonly [name: string, words: string]>>;

/** What a native failure is called. */
export type NativeCode = (typeof RESULTS)[keyof typeof RESULTS][0] | "unknown";

/** A native function refused. */
export class NativeError extends Error {
  override name = "NativeError";
  /** Which of `enum lp_result` it is. */
  readonly code: NativeCode;

  /**
   * @param what What was attempted, to follow "Cannot": `seek to frame 12`.
   * @param result The negative result.
   */
  constructor(what: string, readonly result: number) {
    const [code, words] = describe(result);
    super(`Cannot ${what}: ${words} (native result ${result})`);
    this.code = code;
  }
}

function describe(result: number): readonly [NativeCode, string] {
  return (RESULTS as Readonly<Record<string, readonly [NativeCode, string]>>)[String(result)] ??
    ["unknown", "the native library gave a result that is not known"];
}

/** The code of a negative result. */
export function nativeCode(result: number): NativeCode {
  return describe(result)[0];
}

/**
 * Passes a native result on if it is a success (≥ 0: a handle, a count or 0).
 *
 * @param what What was attempted, to follow "Cannot": `seek to frame 12`.
 * @throws {NativeError} If it is one of the failures.
 *
 * @example
 * ```ts
 * import { check } from "./check.ts";
 *
 * const handle = check(7, "open the engine"); // 7
 * ```
 */
export function check(result: number, what: string): number {
  if (result >= 0) return result; // false for NaN
  throw new NativeError(what, result);
}

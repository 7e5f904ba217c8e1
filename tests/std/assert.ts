/**
 * A strict subset of `@std/assert` over `node:assert/strict`: the same names, arguments and meaning, so that going to the real
 * module is one line in `deno.json`.
 *
 * Known to be narrower: `assertEquals` compares as `deepStrictEqual` does (prototypes count too), and failures print Node's diff.
 *
 * @module
 */
import nodeAssert from "node:assert/strict";

export { AssertionError } from "node:assert/strict";

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

function fail(message: string, msg: string | undefined): never {
  nodeAssert.fail(msg === undefined ? message : `${message}: ${msg}`);
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : Deno.inspect(value, { depth: 4 });
}

/** `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) nodeAssert.fail(msg);
}

/** Deeply equal: same types, same values, `NaN` equal to itself, `0` and `-0` apart. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  try {
    nodeAssert.deepStrictEqual(actual, expected);
  } catch (error) {
    fail(`Values are not equal: ${(error as Error).message}`, msg);
  }
}

/** Not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  try {
    nodeAssert.notDeepStrictEqual(actual, expected);
  } catch {
    fail(`Expected actual: ${show(actual)} not to be: ${show(expected)}`, msg);
  }
}

/** The same value or object, as `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    fail(`Values are not strictly equal: ${show(actual)} is not ${show(expected)}`, msg);
  }
}

/** Not the same value or object. */
export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void {
  if (Object.is(actual, expected)) fail(`Expected not to be strictly ${show(expected)}`, msg);
}

/** Neither `null` nor `undefined`. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    fail(`Expected actual: ${show(actual)} to not be null or undefined`, msg);
  }
}

/** `false` exactly as falsy: the opposite of {@linkcode assert}. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is false {
  if (expr) nodeAssert.fail(msg);
}

/** At most `tolerance` apart; unless told, 1e-7 relative to `expected` and never under 1e-15. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ??
    (Number.isFinite(expected) ? Math.max(1e-15, Math.abs(expected * 1e-7)) : 1e-15);
  const delta = Math.abs(expected - actual);
  if (delta <= allowed) return; // false for NaN
  fail(
    `Expected actual: ${actual} to be close to ${expected}: delta ${delta} is greater than ${allowed}`,
    msg,
  );
}

/** `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) fail(`Expect ${show(actual)} > ${show(expected)}`, msg);
}

/** `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual >= expected)) fail(`Expect ${show(actual)} >= ${show(expected)}`, msg);
}

/** `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) fail(`Expect ${show(actual)} < ${show(expected)}`, msg);
}

/** `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual <= expected)) fail(`Expect ${show(actual)} <= ${show(expected)}`, msg);
}

/** The text matches. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) {
    fail(`Expected actual: ${show(actual)} to match: ${show(expected)}`, msg);
  }
}

/** The text does not match. */
export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void {
  if (expected.test(actual)) {
    fail(`Expected actual: ${show(actual)} to not match: ${show(expected)}`, msg);
  }
}

/** The text contains another. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    fail(`Expected actual: ${show(actual)} to contain: ${show(expected)}`, msg);
  }
}

/** Each of `expected` is, by deep equality, somewhere in `actual`. */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
): void {
  const missing = Array.from(expected).filter((wanted) =>
    !Array.from(actual).some((given) => isDeepEqual(given, wanted))
  );
  if (missing.length > 0) fail(`Expected ${show(actual)} to include ${show(missing)}`, msg);
}

/** Each property of `expected` is in `actual` with an equal value, objects within objects likewise. */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
): void {
  const matches = (given: unknown, wanted: unknown): boolean => {
    if (!isPlain(wanted)) {
      return Array.isArray(wanted) && Array.isArray(given)
        ? given.length === wanted.length && wanted.every((item, i) => matches(given[i], item))
        : isDeepEqual(given, wanted);
    }
    if (typeof given !== "object" || given === null) return false;
    const from = given as Record<PropertyKey, unknown>;
    return Reflect.ownKeys(wanted).every((key) => key in from && matches(from[key], wanted[key]));
  };
  if (!matches(actual, expected)) fail(`Expected ${show(actual)} to match ${show(expected)}`, msg);
}

/** An instance of a class. */
// deno-lint-ignore no-explicit-any
export function assertInstanceOf<T extends abstract new (...args: any[]) => any>(
  actual: unknown,
  expectedType: T,
  msg?: string,
): asserts actual is InstanceType<T> {
  if (!(actual instanceof expectedType)) {
    fail(
      `Expected object to be an instance of "${expectedType.name}" but was ${show(actual)}`,
      msg,
    );
  }
}

/** An `Error`, of a class and with a text in its message where those are given. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  // deno-lint-ignore no-explicit-any
  ErrorClass?: abstract new (...args: any[]) => E,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) {
    fail(`Expected "error" to be an Error object: ${show(error)}`, msg);
  }
  if (ErrorClass !== undefined && !(error instanceof ErrorClass)) {
    fail(
      `Expected error to be instance of "${ErrorClass.name}", but was "${error.constructor.name}": ${error.message}`,
      msg,
    );
  }
  const matches = msgMatches === undefined ||
    (typeof msgMatches === "string"
      ? error.message.includes(msgMatches)
      : msgMatches.test(error.message));
  if (!matches) {
    fail(
      `Expected error message to include ${show(msgMatches)}, but got ${show(error.message)}`,
      msg,
    );
  }
}

/** `fn` throws; with a class, an error of that class whose message includes a text. Gives what was thrown. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  classOrMessage?: ErrorClass<E> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const [ErrorClass, message] = typeof classOrMessage === "string"
    ? [undefined, classOrMessage]
    : [classOrMessage, msg];
  try {
    fn();
  } catch (error) {
    if (ErrorClass !== undefined) assertIsError(error, ErrorClass, msgIncludes, message);
    return error;
  }
  fail("Expected function to throw", message);
}

/** The promise of `fn` is rejected, as {@linkcode assertThrows}; throwing instead is a failure. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  classOrMessage?: ErrorClass<E> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const [ErrorClass, message] = typeof classOrMessage === "string"
    ? [undefined, classOrMessage]
    : [classOrMessage, msg];
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    fail(`Function throws when expected to reject: ${show(error)}`, message);
  }
  try {
    await promise;
  } catch (error) {
    if (ErrorClass !== undefined) assertIsError(error, ErrorClass, msgIncludes, message);
    return error;
  }
  fail("Expected function to reject", message);
}

/** Always fails: the place must not be reached. */
export function unreachable(reason?: string): never {
  fail("Unreachable", reason);
}

function isPlain(value: unknown): value is Record<PropertyKey, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isDeepEqual(a: unknown, b: unknown): boolean {
  try {
    nodeAssert.deepStrictEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

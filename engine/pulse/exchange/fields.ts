/**
 * Reading a document that somebody else wrote: own members alone, each fault with its place and the value that stands there.
 *
 * @module
 */
import { InvalidParams } from "../../errors.ts";

/** Where in a document something stands. */
export type Path = readonly (string | number)[];
/** An object of a document. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A value as a reason quotes it: short, and never walked through. */
export function quote(value: unknown): string {
  if (value === undefined) return "it is missing";
  if (Array.isArray(value)) return `got a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "got an object";
  if (typeof value === "string") {
    return `got ${JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)}`;
  }
  return `got ${String(value)}`;
}

/** The refusal of a field. */
export function invalid(path: Path, reason: string, value?: unknown): InvalidParams {
  return new InvalidParams(path, `${reason}, ${quote(value)}`);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object's own member; `undefined` where it has none or says `null`. */
export function member(object: JsonObject, name: string): unknown {
  if (!Object.hasOwn(object, name)) return undefined;
  const value = object[name];
  return value === null ? undefined : value;
}

/** The first of several names that an object has, with the name. */
export function firstMember(
  object: JsonObject,
  names: readonly string[],
): { name: string; value: unknown } {
  for (const name of names) {
    const value = member(object, name);
    if (value !== undefined) return { name, value };
  }
  return { name: names[0], value: undefined };
}

/** @throws {InvalidParams} */
export function requireObject(value: unknown, path: Path): JsonObject {
  if (isObject(value)) return value;
  throw invalid(path, "must be an object", value);
}

/** A list; none where it is left out or `null`. @throws {InvalidParams} */
export function listOf(object: JsonObject, name: string, path: Path): readonly unknown[] {
  const value = member(object, name);
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw invalid([...path, name], "must be a list", value);
}

/** A finite number. @throws {InvalidParams} */
export function requireNumber(value: unknown, path: Path): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw invalid(path, "must be a finite number", value);
}

/** A text that can be kept: well-formed, cut to a length. `undefined` where it is none. */
export function textOf(value: unknown, mostChars: number): string | undefined {
  if (typeof value !== "string") return undefined;
  return value.slice(0, mostChars).toWellFormed();
}

/** Without some members. The names of what is left are its own, `__proto__` too. */
export function without(object: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.has(name)));
}

export function isEmpty(object: JsonObject): boolean {
  for (const name in object) if (Object.hasOwn(object, name)) return false;
  return true;
}

const encoder = new TextEncoder();

/** Bytes of a value as JSON in UTF-8; infinite where it has no such form. */
export function jsonBytes(value: unknown): number {
  try {
    const text = JSON.stringify(value);
    return text === undefined ? 0 : encoder.encode(text).length;
  } catch {
    return Infinity;
  }
}

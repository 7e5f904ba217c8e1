/**
 * JSON of files that may be large, read piece by piece and in turns: neither the whole text nor the time that it takes stands in one place.
 * Reads what `JSON.parse` reads, to the same values, and the numbers `NaN` and `Infinity` that other programs' writers make.
 *
 * @module
 */
import { InvalidParams } from "../../errors.ts";
import { Turns } from "../turns.ts";
import type { Path } from "./fields.ts";

/** What one document may hold. */
export const JSON_LIMITS = {
  /** Arrays and objects within each other. */
  depth: 64,
  /** Values, keys not counted. */
  values: 20_000_000,
  /** Characters of one text, escapes counted as written. */
  stringChars: 1 << 20,
} as const;

/** `more`: the next piece of text is wanted, `null` after the last; `turn`: others may have theirs. */
export type JsonStep = "more" | "turn";
type Given = string | null | undefined;

/** Values of one turn. */
const TURN_VALUES = 2_000;
const MOST_NUMBER_CHARS = 400;
const KEPT_KEYS = 4_096;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /-?[A-Za-z]+/y;
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["Inf", Infinity],
  ["-Inf", -Infinity],
]);
// deno-lint-ignore no-control-regex
const ESCAPED_OR_WRONG = /[\\\u0000-\u001f]/;

type Container = unknown[] | Record<string, unknown>;

/** What may come next. */
const enum Next {
  Value,
  /** A value, or the end of a list that has none. */
  FirstValue,
  /** A key, or the end of an object that has none. */
  FirstKey,
  Key,
  Colon,
  /** A comma, or the end of what is open. */
  After,
  Nothing,
}

/**
 * Reads one document. `next()` is given a piece of text whenever it has yielded `more`.
 *
 * @param path Of the field that holds the document, for faults.
 * @throws {InvalidParams} where the text is no JSON or goes beyond {@linkcode JSON_LIMITS}; the reason says at which character.
 */
export function* readJson(path: Path): Generator<JsonStep, unknown, Given> {
  const turns = new Turns(TURN_VALUES);
  const keysSeen = new Map<string, string>();
  let text = "";
  let at = 0;
  let dropped = 0;
  let ended = false;
  let values = 0;
  let root: unknown;
  const open: Container[] = [];
  const keys: string[] = [];
  let next = Next.Value as Next; // Changed by the functions below.

  const fault = (reason: string) =>
    new InvalidParams(path, `${reason} at character ${dropped + at + 1}`);
  const unexpected = () => fault(`is no JSON: unexpected ${JSON.stringify(text[at])}`);
  const put = (value: unknown) => {
    if (++values > JSON_LIMITS.values) {
      throw fault(`has more than ${JSON_LIMITS.values} values`);
    }
    const container = open.at(-1);
    if (container === undefined) root = value;
    else if (Array.isArray(container)) container.push(value);
    else define(container, keys.pop()!, value);
    next = container === undefined ? Next.Nothing : Next.After;
  };
  const enter = (container: Container) => {
    put(container);
    open.push(container);
    if (open.length > JSON_LIMITS.depth) {
      throw fault(`is nested deeper than ${JSON_LIMITS.depth} levels`);
    }
    next = Array.isArray(container) ? Next.FirstValue : Next.FirstKey;
  };
  const leave = () => {
    at++;
    open.pop();
    next = open.length === 0 ? Next.Nothing : Next.After;
  };

  for (;;) {
    while (at < text.length && isSpace(text.charCodeAt(at))) at++;
    let token: string | null = null;
    if (at < text.length) {
      const code = text.charCodeAt(at);
      token = code === QUOTE
        ? stringToken(text, at)
        : code === MINUS || isDigit(code)
        ? numberToken(text, at)
        : isLetter(code)
        ? wordToken(text, at)
        : text[at];
      // A number or word that reaches to the end of this piece may go on in the next one.
      const mayGrow = code === MINUS || isDigit(code) || isLetter(code);
      if (!ended && (token === null || (mayGrow && at + token.length === text.length))) {
        const most = code === QUOTE ? JSON_LIMITS.stringChars : MOST_NUMBER_CHARS;
        if (text.length - at > most + 2) {
          throw fault(`holds a value of more than ${most} characters`);
        }
        token = null;
      } else if (token === null) throw fault("is no JSON: a text without end begins");
    }
    if (token === null) {
      if (ended) {
        if (next === Next.Nothing) return root;
        at = text.length;
        throw fault("is no JSON: it ends in the middle,");
      }
      const piece = yield "more";
      if (typeof piece === "string") {
        text = text.slice(at) + piece;
        dropped += at;
        at = 0;
      } else ended = true;
      continue;
    }
    if (turns.isOver()) yield "turn";

    const first = token.charCodeAt(0);
    switch (next) {
      case Next.FirstKey:
      case Next.Key:
        if (first === CLOSE_OBJECT && next === Next.FirstKey) leave();
        else if (first === QUOTE) {
          const key = textOfToken(token, fault);
          keys.push(kept(keysSeen, key));
          at += token.length;
          next = Next.Colon;
        } else throw unexpected();
        break;
      case Next.Colon:
        if (first !== COLON) throw unexpected();
        at++;
        next = Next.Value;
        break;
      case Next.After: {
        const inList = Array.isArray(open.at(-1));
        if (first === COMMA) {
          at++;
          next = inList ? Next.Value : Next.Key;
        } else if (first === (inList ? CLOSE_LIST : CLOSE_OBJECT)) leave();
        else throw unexpected();
        break;
      }
      case Next.Nothing:
        throw unexpected();
      default:
        if (first === CLOSE_LIST && next === Next.FirstValue) leave();
        else if (first === OPEN_OBJECT || first === OPEN_LIST) {
          enter(first === OPEN_LIST ? [] : {});
          at++;
        } else {
          put(scalarOf(token, first, fault, unexpected));
          at += token.length;
        }
    }
  }
}

/** Reads a text that is there as a whole. @throws {InvalidParams} */
export function* readJsonText(text: string, path: Path): Generator<void, unknown> {
  const steps = readJson(path);
  let given: Given;
  let isGiven = false;
  for (;;) {
    const { done, value } = steps.next(given);
    if (done) return value;
    given = undefined;
    if (value === "turn") yield;
    else {
      given = isGiven ? null : text;
      isGiven = true;
    }
  }
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(code: number): boolean {
  return code >= 0x41 && code <= 0x5a || code >= 0x61 && code <= 0x7a;
}

/** With its quotes; `null` where it has no end yet. */
function stringToken(text: string, start: number): string | null {
  for (let i = start + 1;;) {
    const quote = text.indexOf('"', i);
    if (quote < 0) return null;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return text.slice(start, quote + 1);
    i = quote + 1;
  }
}

/** What may be a number or `-Infinity`. */
function numberToken(text: string, start: number): string {
  NUMBER.lastIndex = start;
  const found = NUMBER.exec(text);
  if (found === null) return wordToken(text, start);
  const end = start + found[0].length;
  // "1." or "1e" at the end of a piece may become a number yet; elsewhere it is none.
  return /[.eE+-]/.test(text[end] ?? "") ? longNumber(text, start) : found[0];
}

/** All characters that a number may have, so that half of one is not taken for the whole. */
function longNumber(text: string, start: number): string {
  let end = start;
  while (end < text.length && /[\d.eE+-]/.test(text[end])) end++;
  return text.slice(start, end);
}

function wordToken(text: string, start: number): string {
  WORD.lastIndex = start;
  return WORD.exec(text)?.[0] ?? text[start];
}

function textOfToken(token: string, fault: (reason: string) => Error): string {
  if (token.length > JSON_LIMITS.stringChars + 2) {
    throw fault(`holds a text of more than ${JSON_LIMITS.stringChars} characters`);
  }
  if (!ESCAPED_OR_WRONG.test(token)) return token.slice(1, -1);
  try {
    return JSON.parse(token);
  } catch {
    throw fault("is no JSON: a text that is not escaped as it must be begins");
  }
}

function scalarOf(
  token: string,
  first: number,
  fault: (reason: string) => Error,
  unexpected: () => Error,
): unknown {
  if (first === QUOTE) return textOfToken(token, fault);
  if (WORDS.has(token)) return WORDS.get(token);
  NUMBER.lastIndex = 0;
  if (NUMBER.exec(token)?.[0].length === token.length) return Number(token);
  throw unexpected();
}

/** One object for keys that stand in a document a hundred thousand times. */
function kept(seen: Map<string, string>, key: string): string {
  const known = seen.get(key);
  if (known !== undefined) return known;
  if (seen.size < KEPT_KEYS) seen.set(key, key);
  return key;
}

/** As `JSON.parse` does it: `__proto__` is a member like others. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else {
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(object, key, property);
  }
}

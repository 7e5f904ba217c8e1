/**
 * Writing a great value as JSON in pieces, so that an answer of ten thousand assets holds up nobody.
 *
 * @module
 */
import { Turns } from "./pulse/turns.ts";

/** Values of one piece: members and elements. */
const PIECE = 256;
/** Values that are written in one turn: together a fraction of a millisecond. */
export const VALUES_A_TURN = 4_096;
/** From so many values on a message is written in turns. */
const LARGE = 8_192;

/** Whether a value is worth being written in turns. Costs no more than a look at so many of its parts. */
export function isLarge(value: unknown): boolean {
  return weigh(value, LARGE) > LARGE;
}

/**
 * The text that `JSON.stringify` gives of plain data: objects, arrays and what lies in them. The value must not change meanwhile. Others may
 * have their turn at each `yield`.
 */
export function* jsonInSlices(
  value: unknown,
  turns: Turns = new Turns(VALUES_A_TURN),
): Generator<void, string> {
  const parts: string[] = [];
  yield* write(value, parts, turns);
  return parts.join("");
}

function* write(value: unknown, parts: string[], turns: Turns): Generator<void, void> {
  const weight = weigh(value, PIECE);
  if (weight <= PIECE) {
    // As in an array: what JSON does not know is null there; of objects it is left out below.
    parts.push(JSON.stringify(value) ?? "null");
    if (turns.isOver(weight)) yield;
    return;
  }
  const isArray = Array.isArray(value);
  parts.push(isArray ? "[" : "{");
  let isFirst = true;
  for (const key of isArray ? value.keys() : Object.keys(value as object)) {
    const member = (value as Record<string | number, unknown>)[key];
    if (!isArray && JSON.stringify(typeof member === "object" ? null : member) === undefined) {
      continue;
    }
    if (!isFirst) parts.push(",");
    if (!isArray) parts.push(JSON.stringify(key), ":");
    isFirst = false;
    yield* write(member, parts, turns);
  }
  parts.push(isArray ? "]" : "}");
}

/** How many values there are in a value, itself included; no more than `most` are counted, and one more says that there are more. */
function weigh(value: unknown, most: number): number {
  let count = 1;
  if (typeof value !== "object" || value === null) return count;
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    count += typeof member === "object" && member !== null ? weigh(member, most - count) : 1;
    if (count > most) return most + 1;
  }
  return count;
}

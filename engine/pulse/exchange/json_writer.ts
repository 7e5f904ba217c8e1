/**
 * JSON of documents that may be large, written piece by piece: the same text as `JSON.stringify(value, null, 2)`.
 *
 * @module
 */
import { Turns } from "../turns.ts";

/** Characters of one piece. */
const PIECE_CHARS = 1 << 18;
/** Lists and objects with this name are written member by member; what is below others is written at once. */
const LARGE = new Set(["tracks", "children", "markers", "metadata", "loophole"]);
const TURN_VALUES = 200;

/** Pieces of the text in order. Between two of them others may have their turn: `null` is a turn without a piece. */
export function* writeJson(value: unknown): Generator<string | null> {
  const turns = new Turns(TURN_VALUES);
  let waiting = "";
  for (const text of textsOf(value, "", true)) {
    waiting += text;
    if (waiting.length >= PIECE_CHARS) {
      yield waiting;
      waiting = "";
    } else if (turns.isOver()) yield null;
  }
  yield `${waiting}\n`;
}

function* textsOf(value: unknown, margin: string, isLarge: boolean): Generator<string> {
  if (!isLarge || typeof value !== "object" || value === null) {
    yield indented(value, margin);
    return;
  }
  const inner = `${margin}  `;
  const isList = Array.isArray(value);
  const members = isList
    ? value.map((item) => ["", item] as const)
    : Object.entries(value).filter(([, item]) => item !== undefined);
  if (members.length === 0) {
    yield isList ? "[]" : "{}";
    return;
  }
  let before = isList ? "[\n" : "{\n";
  for (const [name, item] of members) {
    yield isList ? before + inner : `${before}${inner}${JSON.stringify(name)}: `;
    // What stands in a large list is a track, or a clip: a track is large again, a clip is not.
    yield* textsOf(item, inner, isList ? hasLargeMember(item) : LARGE.has(name));
    before = ",\n";
  }
  yield `\n${margin}${isList ? "]" : "}"}`;
}

function hasLargeMember(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    ("children" in value || "tracks" in value);
}

/** Texts have no line ends of their own in JSON: each is one of the layout. */
function indented(value: unknown, margin: string): string {
  return JSON.stringify(value, null, 2).replaceAll("\n", `\n${margin}`);
}

/** Documents of other programs as text: read and written in pieces. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvalidParams } from "../engine/errors.ts";
import { JSON_LIMITS, readJson, readJsonText } from "../engine/pulse/exchange/json_reader.ts";
import { writeJson } from "../engine/pulse/exchange/json_writer.ts";
import { atOnce } from "../engine/pulse/turns.ts";
import { type Prng, prng } from "./support/prng.ts";

/** Reads a text that comes in pieces of at most so many characters. */
function inPieces(text: string, size: () => number): unknown {
  const steps = readJson(["document"]);
  let at = 0;
  let given: string | null | undefined;
  for (;;) {
    const { done, value } = steps.next(given);
    if (done) return value;
    given = undefined;
    if (value === "turn") continue;
    const end = Math.min(text.length, at + size());
    given = at < text.length ? text.slice(at, end) : null;
    at = end;
  }
}

function randomValue(random: Prng, depth: number): unknown {
  const kinds: (() => unknown)[] = [
    () => null,
    () => random.chance(0.5),
    () => random.int(1e9) - 5e8,
    () => (random.next() - 0.5) * 10 ** (random.int(600) - 300),
    () =>
      String.fromCharCode(
        ...Array.from({ length: random.int(12) }, () => random.int(random.pick([0x80, 0xffff]))),
      ),
    () => random.pick(["", "\\", '"', "a\nb", "\u2028", "__proto__", "\ud83d\ude00"]),
  ];
  if (depth > 0) {
    kinds.push(
      () => Array.from({ length: random.int(5) }, () => randomValue(random, depth - 1)),
      () =>
        Object.fromEntries(
          Array.from({ length: random.int(5) }, () => [
            random.pick(["a", "b", "__proto__", "constructor", 'quo"te', ""]),
            randomValue(random, depth - 1),
          ]),
        ),
    );
  }
  return random.pick(kinds)();
}

Deno.test("readJson() reads what JSON.parse() reads, however the text is cut", () => {
  const random = prng(1);
  for (let round = 0; round < 1_500; round++) {
    const value = randomValue(random, 4);
    const text = JSON.stringify(value, null, random.pick([0, 1, "\t"]));
    const expected = JSON.stringify(JSON.parse(text));
    assertEquals(JSON.stringify(inPieces(text, () => 1 + random.int(7))), expected);
    assertEquals(JSON.stringify(atOnce(readJsonText(text, ["document"]))), expected);
  }
});

Deno.test("readJson() refuses what JSON.parse() refuses", () => {
  const random = prng(2);
  let refused = 0;
  for (let round = 0; round < 6_000; round++) {
    let text = JSON.stringify(randomValue(random, 3));
    for (let i = random.int(3); i >= 0; i--) {
      const at = random.int(text.length + 1);
      const put = random.pick([
        "",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        '"',
        "-",
        ".",
        "e",
        "0",
        "1",
        " ",
        "\n",
        "\\",
        "\t",
        "tru",
        "null",
      ]);
      text = text.slice(0, at) + put + text.slice(at + random.int(3));
    }
    let expected: string | null = null;
    try {
      expected = JSON.stringify(JSON.parse(text));
    } catch {
      refused++;
    }
    let got: string | null = null;
    try {
      got = JSON.stringify(inPieces(text, () => 1 + random.int(5)));
    } catch (error) {
      assert(error instanceof InvalidParams, `${text}: ${error}`);
      assertEquals(error.path, ["document"]);
    }
    assertEquals(got, expected, text);
  }
  assert(refused > 1_000 && refused < 5_900, `${refused}`);
});

Deno.test("readJson() takes the numbers that other writers make of infinities", () => {
  const text = "[NaN, Infinity, -Infinity, Inf, -Inf]";
  assertEquals(inPieces(text, () => 1), [NaN, Infinity, -Infinity, Infinity, -Infinity]);
  assertThrows(() => inPieces("[Nan]", () => 1), InvalidParams);
});

Deno.test("readJson() pollutes no prototype", () => {
  const read = inPieces('{"__proto__": {"polluted": 1}, "a": 2}', () => 3) as { a: number };
  assertEquals(Object.getPrototypeOf(read), Object.prototype);
  assertEquals(({} as { polluted?: number }).polluted, undefined);
  assertEquals(Object.keys(read), ["__proto__", "a"]);
});

Deno.test("readJson() refuses what is too deep or too long, and says where", () => {
  const deep = "[".repeat(JSON_LIMITS.depth + 1);
  const error = assertThrows(() => inPieces(deep, () => 9), InvalidParams);
  assertEquals(
    (error as InvalidParams).reason,
    `is nested deeper than ${JSON_LIMITS.depth} levels at character ${JSON_LIMITS.depth + 1}`,
  );
  const long = `["${"x".repeat(JSON_LIMITS.stringChars + 1)}"]`;
  assertThrows(() => inPieces(long, () => 100_000), InvalidParams, "more than");
  assertThrows(
    () => inPieces(`["${"x".repeat(JSON_LIMITS.stringChars + 9)}`, () => 1e5),
    InvalidParams,
    "more than",
  );
  assertThrows(() => inPieces(`[1${"0".repeat(1_000)}`, () => 100), InvalidParams, "more than");
});

Deno.test("a text of many values is read in many turns", () => {
  const text = JSON.stringify(Array.from({ length: 100_000 }, (_, i) => ({ i })));
  const steps = readJsonText(text, ["document"]);
  let turns = 0;
  while (!steps.next().done) turns++;
  assert(turns > 100, `${turns}`);
});

Deno.test("writeJson() writes what JSON.stringify() writes, in pieces", () => {
  const random = prng(3);
  for (let round = 0; round < 300; round++) {
    const value = {
      tracks: {
        children: [{
          children: Array.from({ length: random.int(4) }, () => randomValue(random, 3)),
        }],
      },
      metadata: { loophole: randomValue(random, 3), "line\nend": { x: "a\nb" } },
      nothing: undefined,
    };
    assertEquals([...writeJson(value)].join(""), `${JSON.stringify(value, null, 2)}\n`);
  }
  const children = Array.from({ length: 20_000 }, (_, i) => ({ name: `clip ${i}`, x: [i, { i }] }));
  const pieces = [...writeJson({ tracks: { children: [{ children }] } })];
  assert(pieces.filter((piece) => piece === null).length > 50);
  assert(pieces.every((piece) => piece === null || piece.length < 1 << 19));
});

/** Whatever is refused: the error names the field and what stood there, and nothing has changed. */
import { assert, assertEquals } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { type Commit, TimelineService } from "../engine/pulse/timeline_service.ts";
import type { Edit } from "../engine/pulse/types.ts";
import { prng } from "./support/prng.ts";
import { randomEdit, randomGesture } from "./support/random_edits.ts";

const caller = { clientId: "mallory" };
const RANGE = { frames: 1_000, tracks: 3, clips: 60 };
/** What may stand anywhere by mistake. */
const WRONG = [
  -1,
  0.5,
  2 ** 53,
  1e300,
  Infinity,
  NaN,
  "",
  "no such id",
  "x".repeat(300),
  null,
  true,
  [],
  {},
  [7],
  Number.MAX_SAFE_INTEGER,
];

type Path = readonly (string | number)[];

/** Where a refusal says that the fault is. */
function pathOf(error: unknown): Path {
  if (error instanceof InvalidParams) return error.path;
  assert(error instanceof EngineError, String(error));
  return error.details.path as Path;
}

function at(value: unknown, path: Path): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}

/** Whether a message quotes a value, as far as it quotes long ones. */
function quotes(message: string, value: unknown): boolean {
  if (value === undefined) return true; // Something is missing: its name is all there is.
  const text = JSON.stringify(value) ?? String(value);
  // What it led to is said in brackets, where the value alone says little.
  return /\([^)]*\d[^)]*\)/.test(message) || message.includes(text.slice(0, 40)) ||
    message.includes(String(value)) ||
    (typeof value === "object" && /expected|must be|give|unknown/.test(message));
}

Deno.test("10,000 edits with a wrong value somewhere: those that are refused name the field and the value, and nothing changes", () => {
  const random = prng(31);
  const commits: Commit[] = [];
  const timeline = TimelineService.inMemory(48_000, { onCommit: (commit) => commits.push(commit) });
  const reasons = new Map<string, number>();
  for (let step = 0; step < 10_000; step++) {
    const edits = random.chance(0.1) || timeline.revision < 20
      ? randomGesture(random, timeline.get().timeline, RANGE)
      : spoilt(random, randomEdit(random, timeline.get().timeline, RANGE));
    if (random.chance(0.3)) edits.unshift(randomEdit(random, timeline.get().timeline, RANGE));
    const before = { ...timeline.get(), history: timeline.history(), told: commits.length };
    const { model } = timeline;
    try {
      timeline.edit(edits, random.chance(0.2) ? { mergeKey: "k" } : {}, caller);
      continue;
    } catch (error) {
      const path = pathOf(error);
      const name = `${(error as Error).message} at ${JSON.stringify(path)} of ${
        JSON.stringify(edits)
      }`;
      const [first, i, ...field] = path;
      assert(first === "edits" && typeof i === "number" && i < edits.length, name);
      assert(field.length > 0, name);
      assert(quotes((error as Error).message, at(edits[i], field)), name);
      const kind = `${edits[i].op} ${field[0]}`;
      reasons.set(kind, (reasons.get(kind) ?? 0) + 1);
    }
    assert(timeline.model === model);
    assertEquals(
      { ...timeline.get(), history: timeline.history(), told: commits.length },
      before,
    );
  }
  assert(reasons.size >= 30, `${reasons.size} kinds of refusals`);
});

/** An edit with something else in one of its members, or in one of a member's. */
function spoilt(random: ReturnType<typeof prng>, edit: Edit): Edit[] {
  const copy = structuredClone(edit) as unknown as Record<string, unknown>;
  const names = Object.keys(copy).filter((name) => name !== "op");
  const name = random.pick(names);
  const inner = copy[name];
  if (typeof inner === "object" && inner !== null && random.chance(0.8)) {
    const members = inner as Record<string, unknown>;
    const keys = Object.keys(members);
    if (keys.length > 0) {
      members[random.pick(keys)] = random.pick(WRONG);
      return [copy as unknown as Edit];
    }
  }
  copy[name] = random.pick(WRONG);
  return [copy as unknown as Edit];
}

import { assert, assertEquals } from "@std/assert";
import { atOnce, Turns } from "../engine/pulse/turns.ts";
import { Outbox } from "../server/outbox.ts";
import { isLarge, jsonInSlices, VALUES_A_TURN } from "../engine/json_slices.ts";
import { madeAsset } from "./support/big_project.ts";
import { prng } from "./support/prng.ts";

const random = prng(5);

/** Plain data as messages are made of. */
function made(depth: number): unknown {
  const kind = random.int(depth > 3 ? 6 : 9);
  switch (kind) {
    case 0:
      return random.int(1e9) / 7;
    case 1:
      return `"\\ ${random.int(99)} ü\n`;
    case 2:
      return null;
    case 3:
      return random.int(2) === 0;
    case 4:
      return undefined;
    case 5:
      return [NaN, Infinity, -0][random.int(3)];
    case 6:
    case 7: {
      const members = Array.from(
        { length: random.int(20) },
        (_, i) => [`k "${i}`, made(depth + 1)],
      );
      return Object.fromEntries(members);
    }
    default:
      return Array.from({ length: random.int(depth > 1 ? 9 : 300) }, () => made(depth + 1));
  }
}

Deno.test("jsonInSlices() writes what JSON.stringify() writes", () => {
  for (let round = 0; round < 12; round++) {
    const value = { value: made(0), more: Array.from({ length: 300 }, () => made(4)) };
    assertEquals(atOnce(jsonInSlices(value, new Turns(100))), JSON.stringify(value));
  }
  assertEquals(atOnce(jsonInSlices([undefined, () => {}, 1])), "[null,null,1]");
  assertEquals(atOnce(jsonInSlices({})), "{}");
});

Deno.test("10,000 assets are written in many turns, each of a few thousand values at most", () => {
  const assets = Array.from({ length: 10_000 }, (_, i) => madeAsset(`a${i}`, `/a/${i}.wav`));
  const value = { assets };
  assertEquals([isLarge(value), isLarge(assets.slice(0, 100))], [true, false]);
  let most = 0;
  let since = 0;
  class Counted extends Turns {
    override isOver(work = 1) {
      since += work;
      const isOver = super.isOver(work);
      if (isOver) {
        most = Math.max(most, since);
        since = 0;
      }
      return isOver;
    }
  }
  const steps = jsonInSlices(value, new Counted(VALUES_A_TURN));
  let turns = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) turns++;
  assertEquals(step.value, JSON.stringify(value));
  assert(most <= VALUES_A_TURN + 256, `${most} values`);
  assert(turns >= 10_000 * 20 / VALUES_A_TURN, `${turns} turns`);
});

Deno.test("what comes behind a message that is still being written waits for it, and a message that comes too late for a queue that was cleared is dropped", () => {
  const sent: string[] = [];
  const sink = { waitingBytes: 0, send: (data: string | Uint8Array) => void sent.push(`${data}`) };
  const outbox = new Outbox(sink, 100);
  outbox.push({ data: "before" });
  const put = outbox.reserve();
  outbox.push({ data: "behind" });
  outbox.push({ data: () => "old", key: "position" });
  outbox.push({ data: () => "new", key: "position" });
  const second = outbox.reserve();
  assertEquals([sent, outbox.waitingBytes], [["before"], 6]);
  assertEquals(second("second"), true);
  assertEquals(put("late"), true);
  assertEquals(sent, ["before", "late", "behind", "new", "second"]);
  assertEquals(outbox.waitingBytes, 0);
  const third = outbox.reserve();
  outbox.clear();
  outbox.push({ data: "after" });
  assertEquals([third("never"), sent.slice(5)], [true, ["after"]]);
  // One message may be greater than what may wait; two may not.
  const puts = [outbox.reserve(), outbox.reserve(), outbox.reserve()];
  assertEquals(puts[1]("x".repeat(200)), true);
  assertEquals(puts[2]("y".repeat(200)), false);
});

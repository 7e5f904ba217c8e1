import { assert, assertEquals } from "@std/assert";
import { atOnce, sorting, Turns } from "../engine/pulse/turns.ts";
import { prng } from "./support/prng.ts";

interface Item {
  readonly key: number;
  readonly place: number;
}

/** Items whose keys are random, in order, or in the opposite order; many are equal. */
function items(length: number, keyOf: (place: number) => number): Item[] {
  return Array.from({ length }, (_, place) => ({ key: keyOf(place), place }));
}

Deno.test("sorting() gives what a stable sort gives", () => {
  const random = prng(3);
  for (let round = 0; round < 200; round++) {
    const length = random.int(300);
    const orders = [() => random.int(50), (i: number) => i >> 2, (i: number) => -(i >> 2)];
    const of = items(length, orders[round % 3]);
    const sorted = atOnce(sorting(of, ({ key }) => key, new Turns(1 + random.int(20))));
    assertEquals(sorted, of.toSorted((a, b) => a.key - b.key));
  }
});

Deno.test("sorting() 100,000 numbers takes many steps, each of which is bounded", () => {
  const random = prng(4);
  let looks = 0;
  const keyOf = (item: number) => {
    looks++;
    return item;
  };
  const of = Array.from({ length: 100_000 }, () => random.int(1e9));
  const steps = sorting(of, keyOf, new Turns(256));
  let [turns, most, all] = [0, 0, 0];
  let step = steps.next();
  for (;; step = steps.next()) {
    most = Math.max(most, looks);
    all += looks;
    looks = 0;
    if (step.done) break;
    turns++;
  }
  assertEquals(step.value, of.toSorted((a, b) => a - b));
  assert(most <= 2 * 256, `${most} looks at once`);
  assert(turns >= all / 512, `${turns} turns`);
  assert(all <= 2 * 100_000 * 18, `${all} looks`);
});

Deno.test("Turns.isOver() says so whenever as much was done, whatever the pieces", () => {
  const turns = new Turns(3);
  assertEquals([1, 1, 1, 1, 5, 2, 0.5, 0.5].map((work) => turns.isOver(work)), [
    false,
    false,
    true,
    false,
    true,
    false,
    false,
    true,
  ]);
});

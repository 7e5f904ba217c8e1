import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineError } from "../engine/errors.ts";
import type { WindowRange } from "../engine/signal/signal_api.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { clip, firstDifference, mixOf, openRig, type Rig, track } from "./support/signal_rig.ts";

const PAGE = 8_192;
const UNIT = 16_384;
const FRAMES = PAGE * 40;

/** A store of 50 units, single-stepped, with mono assets of 40 pages: windows may hold 40 units. */
async function openWindows(): Promise<Rig> {
  const rig = await openRig({ singleStep: true, manualClock: true, memoryBytes: 50 * UNIT });
  for (const [id, seed] of [["a", 1], ["b", 2]] as const) {
    await rig.add(id, { planes: randomPlanes(seed, 1, FRAMES, "s16"), encoding: "s16" });
  }
  return rig;
}

const range = (assetId: string, fromPage: number, toPage: number, more = {}): WindowRange => ({
  assetId,
  startFrame: fromPage * PAGE,
  endFrame: toPage * PAGE,
  cohort: "realtime",
  rate: 1,
  ...more,
});

function fill(rig: Rig): void {
  while (rig.signal.native.symbols.lp_step_fill(rig.signal.native.engine) > 0);
}
const resident = (rig: Rig, assetId: string, page: number) =>
  rig.signal.residentFrames(assetId, page * PAGE, PAGE) === PAGE;

Deno.test("a window's pages come, stay whatever else is read, and go when it is released", async () => {
  await using rig = await openWindows();
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  const opened = signal.openWindow(range("a", 3, 13));
  assertEquals(opened.look(), false);
  fill(rig);
  assertEquals(opened.look(), true);
  // Forty pages of another asset go through the forty units that are left, and everything is dropped that may be.
  symbols.lp_source_prefetch(engine, 2, 0, FRAMES);
  fill(rig);
  symbols.lp_store_drop(engine);
  for (let page = 0; page < 40; page++) {
    assertEquals(resident(rig, "a", page), page >= 3 && page < 13, `page ${page}`);
    assertEquals(resident(rig, "b", page), false);
  }
  opened[Symbol.dispose]();
  symbols.lp_store_drop(engine);
  assertEquals(signal.counters().pagesResident, 0);
});

Deno.test("windows beyond their budget are refused with what they hold; one page is counted once", async () => {
  await using rig = await openWindows();
  const { signal } = rig;
  using _first = signal.openWindow(range("a", 0, 30));
  using _same = signal.openWindow(range("a", 10, 30));
  const more = signal.openWindow(range("a", 25, 35));
  const error = assertThrows(() => signal.openWindow(range("b", 0, 6)), EngineError);
  assertEquals(error.code, "cache.budget");
  assertEquals([error.details.heldBytes, error.details.budgetBytes], [35 * UNIT, 40 * UNIT]);
  using five = signal.openWindow(range("b", 0, 5));
  more[Symbol.dispose]();
  using _ten = signal.openWindow(range("b", 2, 10));
  assertThrows(() => signal.openWindow(range("b", 10, 11)), EngineError);
  fill(rig);
  assertEquals(five.look(), false);
  fill(rig);
  assertEquals(five.look(), true);
});

Deno.test("what plays beside full windows has the rest of the budget, and misses nothing", async () => {
  await using rig = await openWindows();
  const { signal } = rig;
  using held = signal.openWindow(range("a", 0, 40));
  held.look();
  fill(rig);
  assertEquals(held.look(), true);
  signal.publish(mixOf([track("t", [clip("c", "b", 0, FRAMES)])]), 1, []);
  signal.play(0);
  rig.settle();
  const { symbols, engine } = signal.native;
  const heard = new Float32Array(FRAMES);
  for (let at = 0; at < FRAMES; at += 1024) {
    symbols.lp_step_follow(engine);
    fill(rig);
    heard.set(rig.render(1024)[0], at);
  }
  const { missing, faded } = signal.counters();
  assertEquals([missing, faded], [0, 0]);
  assertEquals(firstDifference(heard, rig.sources.get("b")![0]), -1);
  for (let page = 0; page < 40; page++) assert(resident(rig, "a", page), `page ${page}`);
});

Deno.test("realtime windows are filled before anticipative ones, and a window follows its asset's file", async () => {
  await using rig = await openWindows();
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  using later = signal.openWindow(range("a", 0, 4, { cohort: "anticipative" }));
  using first = signal.openWindow(range("b", 0, 4));
  later.look();
  first.look();
  symbols.lp_gate_set(engine, 1);
  symbols.lp_gate_release(engine, 1);
  symbols.lp_step_fill(engine);
  assertEquals([resident(rig, "b", 0), resident(rig, "a", 0)], [true, false]);
  symbols.lp_gate_set(engine, 0);
  fill(rig);
  assertEquals([later.look(), first.look()], [true, true]);
  await rig.add("b", { planes: randomPlanes(9, 1, FRAMES, "s16"), encoding: "s16" });
  while (first.look()) await new Promise((resolve) => setTimeout(resolve, 1)); // It is taken over behind.
  fill(rig);
  assertEquals(first.look(), true);
  symbols.lp_store_drop(engine);
  assert(resident(rig, "b", 3));
});

Deno.test("a window is filled in the order in which it is played; where a loop begins is urgent", async () => {
  await using rig = await openWindows();
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  symbols.lp_gate_set(engine, 1);
  /** Which pages of an asset come with the next reads. */
  const next = (assetId: string, reads: number) => {
    symbols.lp_gate_release(engine, reads);
    while (symbols.lp_step_fill(engine) > 0);
    return Array.from({ length: 40 }, (_, page) => page).filter((page) =>
      resident(rig, assetId, page)
    );
  };
  const backwards = signal.openWindow(range("a", 10, 14, { rate: -1 }));
  backwards.look();
  assertEquals([next("a", 1), next("a", 1)], [[13], [12, 13]]);
  backwards[Symbol.dispose]();
  symbols.lp_store_drop(engine);

  // Asked for before, and anticipative: what is realtime goes first, save where a loop begins.
  for (const isLooping of [false, true]) {
    using first = signal.openWindow(range("a", 20, 30, { isLooping, cohort: "anticipative" }));
    symbols.lp_clock_set(engine, signal.nowMs() + 1_000);
    using second = signal.openWindow(range("b", 0, 6));
    first.look();
    second.look();
    const came = [next("a", 1), next("b", 0)].map(({ length }) => length > 0);
    assertEquals(came, isLooping ? [true, false] : [false, true]);
    symbols.lp_gate_set(engine, 0);
    fill(rig);
    assertEquals([first.look(), second.look()], [true, true]);
    first[Symbol.dispose]();
    second[Symbol.dispose]();
    symbols.lp_store_drop(engine);
    symbols.lp_gate_set(engine, 1);
  }
  symbols.lp_gate_set(engine, 0);
});

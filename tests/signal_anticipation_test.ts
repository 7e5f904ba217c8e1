/**
 * What the native side makes of a plan: order, budget, ranks, no thrash. All single-stepped on a clock set by hand, save where a real pool
 * has to keep 45 minutes.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { WantedStretch } from "../engine/signal/signal_api.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { clip, firstDifference, mixOf, openRig, type Rig, track } from "./support/signal_rig.ts";
import { sparseWav } from "./support/sparse_wav.ts";
import { until } from "./support/wait.ts";

const PAGE = 8_192;
const UNIT = 16_384;
const PAGE_BYTES = PAGE * 2;

async function openPlans(units: number, assets: Record<string, number>): Promise<Rig> {
  const rig = await openRig({ singleStep: true, manualClock: true, memoryBytes: units * UNIT });
  for (const [id, pages] of Object.entries(assets)) {
    const planes = randomPlanes(id.charCodeAt(0), 1, pages * PAGE, "s16");
    await rig.add(id, { planes, encoding: "s16" });
  }
  return rig;
}

const wanted = (
  assetId: string,
  fromPage: number,
  toPage: number,
  rankMs: number,
): WantedStretch => ({
  assetId,
  startFrame: fromPage * PAGE,
  endFrame: toPage * PAGE,
  rankMs,
});

const resident = (rig: Rig, assetId: string, page: number) =>
  rig.signal.residentFrames(assetId, page * PAGE, PAGE) === PAGE;

function pagesOf(rig: Rig, assetId: string, pages: number): number[] {
  return Array.from({ length: pages }, (_, page) => page).filter((page) =>
    resident(rig, assetId, page)
  );
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Moves the clock on. */
function wait(rig: Rig, ms: number): void {
  const { symbols, engine } = rig.signal.native;
  symbols.lp_clock_set(engine, rig.signal.nowMs() + ms);
}

/** Follower and fills, until the plan says that nothing is left to do. */
function settle(rig: Rig): void {
  const { symbols, engine } = rig.signal.native;
  do {
    symbols.lp_step_follow(engine);
    while (symbols.lp_step_fill(engine) > 0);
  } while (!rig.signal.anticipation().settled);
}

Deno.test("a plan is fetched in the order of its ranks, whatever the order of assets and pages", async () => {
  await using rig = await openPlans(100, { a: 40, b: 20 });
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  const plan = [
    wanted("a", 30, 32, 0),
    wanted("b", 4, 6, 500),
    wanted("a", 2, 4, 1_000),
    wanted("b", 15, 17, 40_000),
    wanted("a", 10, 12, 80_000),
  ];
  assertEquals(signal.anticipate(plan), 1);
  assertEquals(signal.anticipate([...plan]), 1, "the same plan is not sent again");
  symbols.lp_gate_set(engine, 1);
  for (let pass = 0; pass < 3; pass++) symbols.lp_step_follow(engine);
  const order: string[] = [];
  const seen = new Set<string>();
  for (let reads = 0; reads < plan.length; reads++) {
    symbols.lp_gate_release(engine, 1);
    assertEquals(symbols.lp_step_fill(engine), 1);
    for (const [asset, pages] of [["a", 40], ["b", 20]] as const) {
      for (const page of pagesOf(rig, asset, pages)) {
        if (!seen.has(asset + page)) order.push(asset + page);
        seen.add(asset + page);
      }
    }
  }
  assertEquals(order, ["a30", "a31", "b4", "b5", "a2", "a3", "b15", "b16", "a10", "a11"]);
  symbols.lp_gate_set(engine, 0);
  settle(rig);
  const { wantedPages, residentPages, listedPages, plan: number } = signal.anticipation();
  assertEquals([wantedPages, residentPages, listedPages, number], [10, 10, 10, 1]);
});

Deno.test("a plan larger than the budget is cut there, and nothing is read twice for it", async () => {
  await using rig = await openPlans(64, { a: 200 });
  const { signal } = rig;
  signal.anticipate([wanted("a", 100, 200, 0), wanted("a", 0, 100, 1_000)]);
  settle(rig);
  const { wantedPages, residentPages, budgetUnits } = signal.anticipation();
  assertEquals([wantedPages, residentPages, budgetUnits], [62, 62, 62]);
  assertEquals(pagesOf(rig, "a", 200), range(100, 162));
  const before = signal.counters();
  for (let round = 0; round < 50; round++) {
    wait(rig, 1_100);
    settle(rig);
  }
  const after = signal.counters();
  assertEquals(after.bytesRead, before.bytesRead, "looking again reads nothing");
  assertEquals(after.evictions, 0);
  assertEquals(before.bytesRead, 62 * PAGE_BYTES, "each page once");

  // A page further: what leaves makes room for what comes, and all the rest stays where it is.
  signal.anticipate([wanted("a", 103, 200, 0), wanted("a", 0, 103, 1_000)]);
  settle(rig);
  assertEquals(pagesOf(rig, "a", 200).slice(-62), range(103, 165));
  assertEquals(signal.counters().bytesRead, before.bytesRead + 3 * PAGE_BYTES);
});

Deno.test("near gives way to nobody: far pages of a plan go when nearer ones come, not the other way round", async () => {
  await using rig = await openPlans(64, { a: 100, b: 100 });
  const { signal } = rig;
  signal.anticipate([wanted("a", 0, 60, 1_000)]);
  settle(rig);
  assertEquals(pagesOf(rig, "a", 100), range(0, 60));
  signal.anticipate([wanted("b", 0, 10, 0), wanted("a", 0, 60, 1_000), wanted("b", 10, 90, 2_000)]);
  settle(rig);
  assertEquals(pagesOf(rig, "b", 100), range(0, 10));
  assertEquals(signal.counters().bytesRead, 70 * PAGE_BYTES);
  assertEquals(pagesOf(rig, "a", 100).length, 54, "all the others stay");
  // With room given back the plan goes on by itself.
  const held = signal.anticipation().wantedPages;
  using opened = signal.openWindow({
    assetId: "a",
    startFrame: 0,
    endFrame: 20 * PAGE,
    cohort: "anticipative",
    rate: 1,
  });
  settle(rig);
  assertEquals(opened.look(), true);
  wait(rig, 1_100);
  settle(rig);
  assertEquals(
    signal.anticipation().wantedPages,
    held,
    "what windows hold of the plan counts once",
  );
});

Deno.test("what leaves a plan before it was read is not read any more", async () => {
  await using rig = await openPlans(100, { a: 60, b: 60 });
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  symbols.lp_gate_set(engine, 1);
  signal.anticipate([wanted("a", 0, 40, 0)]);
  for (let pass = 0; pass < 3; pass++) symbols.lp_step_follow(engine);
  assertEquals(signal.counters().queueLength, 40);
  signal.anticipate([wanted("b", 0, 5, 0), wanted("a", 20, 22, 5)]);
  for (let pass = 0; pass < 3; pass++) symbols.lp_step_follow(engine);
  symbols.lp_gate_set(engine, 0);
  settle(rig);
  assertEquals([pagesOf(rig, "a", 60), pagesOf(rig, "b", 60)], [[20, 21], range(0, 5)]);
  signal.anticipate([]);
  settle(rig);
  assertEquals(signal.anticipation().wantedPages, 0);
  // Nothing protects them any more: a window may have their room.
  using opened = signal.openWindow({
    assetId: "a",
    startFrame: 0,
    endFrame: 60 * PAGE,
    cohort: "realtime",
    rate: 1,
  });
  opened.look();
  settle(rig);
  assertEquals(opened.look(), true);
});

Deno.test("minutes of playing with a budget smaller than the file read each page once, and all of it is heard", async () => {
  const PAGES = 700; // Two minutes of mono.
  await using rig = await openPlans(160, { a: PAGES });
  const { signal } = rig;
  signal.publish(mixOf([track("t", [clip("c", "a", 0, PAGES * PAGE)])]), 1, []);
  /** As a planner would: around the head, as much as there is room for, what is ahead before what is behind. */
  const plan = (frame: number) => {
    const at = Math.floor(frame / PAGE);
    const ahead = Math.min(PAGES - at, 78);
    signal.anticipate([
      wanted("a", at, at + ahead, 0),
      wanted("a", Math.max(0, at + ahead - 155), at, 1),
    ]);
  };
  plan(0);
  settle(rig);
  signal.play(0);
  rig.settle();
  const out = new Float32Array(PAGES * PAGE);
  const step = PAGE / 2;
  for (let at = 0; at < out.length; at += step) {
    if (at % (PAGE * 6) === 0) plan(at);
    settle(rig);
    out.set(rig.render(step)[0], at);
  }
  const { missing, faded, bytesRead } = signal.counters();
  assertEquals([missing, faded], [0, 0]);
  assertEquals(firstDifference(out, rig.sources.get("a")![0]), -1);
  assertEquals(bytesRead, PAGES * PAGE_BYTES, "each page was read once");
});

Deno.test("playing through a long file leaves the near places of the plan where they are", async () => {
  const PAGES = 300;
  await using rig = await openPlans(100, { a: 200, b: PAGES });
  const { signal } = rig;
  // Places first; then all the rest of the asset, more than there is room for.
  const places = [wanted("a", 10, 20, 0), wanted("a", 150, 155, 0)];
  signal.anticipate([...places, wanted("a", 0, 200, 30_000)]);
  settle(rig);
  assertEquals(signal.anticipation().residentPages, 97);
  const read = signal.counters().bytesRead;
  signal.publish(mixOf([track("t", [clip("c", "b", 0, PAGES * PAGE)])]), 1, []);
  signal.play(0);
  rig.settle();
  const out = new Float32Array(PAGES * PAGE);
  let most = 0;
  for (let at = 0; at < out.length; at += PAGE / 2) {
    settle(rig);
    out.set(rig.render(PAGE / 2)[0], at);
    for (const page of [...range(10, 20), ...range(150, 155)]) {
      assert(resident(rig, "a", page), `page ${page} at frame ${at}`);
    }
    most = Math.max(most, rig.signal.counters().bytesRead - read);
  }
  const { missing, faded } = signal.counters();
  assertEquals([missing, faded], [0, 0]);
  assertEquals(firstDifference(out, rig.sources.get("b")![0]), -1);
  assertEquals(
    most,
    PAGES * PAGE_BYTES,
    "what gave way was not fetched while it would have given way again",
  );
});

Deno.test("a plan out of order or out of range is refused, and the one before stays", async () => {
  await using rig = await openPlans(20, { a: 20 });
  const { signal } = rig;
  signal.anticipate([wanted("a", 0, 4, 5)]);
  settle(rig);
  for (
    const bad of [
      [wanted("a", 0, 4, 5), wanted("a", 4, 8, 4)],
      [wanted("a", 0, 4, NaN)],
      [wanted("a", 8, 4, 0)],
    ]
  ) assertThrows(() => signal.anticipate(bad), Error, "anticipate");
  signal.anticipate([wanted("none", 0, 4, 0), wanted("a", 0, 5, 5)]);
  settle(rig);
  assertEquals(pagesOf(rig, "a", 20), range(0, 5));
  // A source that is closed goes with its pages once no plan names it.
  signal.closeSource("a");
  signal.anticipate([wanted("a", 0, 5, 5)]);
  settle(rig);
  assertEquals(signal.counters().pagesResident, 0);
});

Deno.test("45 minutes of 44.1 kHz 16-bit stereo become and stay resident in 500 MB", async () => {
  const SECONDS = 45 * 60;
  const RATE = 44_100;
  await using rig = await openRig({ sampleRate: RATE, memoryBytes: 500e6 });
  const { signal } = rig;
  const path = `${rig.folder}/long.wav`;
  await sparseWav(path, { sampleRate: RATE, channels: 2, frames: SECONDS * RATE });
  await signal.openSource("long", path);
  signal.publish(mixOf([track("t", [clip("c", "long", 0, SECONDS * RATE)])]), 1, []);
  const endFrame = SECONDS * RATE;
  const plan = signal.anticipate([{ assetId: "long", startFrame: 0, endFrame, rankMs: 0 }]);
  await until(() => {
    const state = signal.anticipation();
    return state.plan === plan && state.settled;
  }, "the plan is fetched");
  const { wantedPages, residentPages } = signal.anticipation();
  assertEquals([wantedPages, residentPages], [14_535, 14_535]);
  assertEquals(signal.residentFrames("long", 0, endFrame), endFrame);
  // From here on nothing can be read: it is there, wherever the head goes.
  const { symbols, engine } = signal.native;
  symbols.lp_gate_set(engine, 1);
  signal.play(0);
  for (let i = 0; i < 200; i++) {
    signal.seek((i * 7_919 * 104_729) % (endFrame - RATE));
    rig.render(2_048);
  }
  const { missing, faded, evictions } = signal.counters();
  assertEquals([missing, faded, evictions], [0, 0, 0]);
  assertEquals(signal.position().state, "playing");
  symbols.lp_gate_set(engine, 0);
});

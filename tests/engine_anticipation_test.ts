import { assert, assertEquals } from "@std/assert";
import type { Intent } from "../engine/pulse/anticipation.ts";
import { Anticipator } from "../engine/pulse/services/anticipator.ts";
import type { AssetEntry } from "../engine/pulse/services/asset_entry.ts";
import { TimelineService } from "../engine/pulse/timeline_service.ts";
import type { Signal } from "../engine/signal/signal.ts";
import { denseTimeline } from "./support/dense_timeline.ts";
import { EnginePlace, lay, ME, until } from "./support/engine_place.ts";
import { FakeSignal } from "./support/fake_signal.ts";
import { sparseWav } from "./support/sparse_wav.ts";

const RATE = 48_000;
const s = (seconds: number) => seconds * RATE;

function tenMinutes(): AssetEntry {
  return {
    asset: { sampleRate: RATE, lengthSamples: s(600), channels: 1, bitDepth: 16, codec: "pcm_s16" },
    identity: { bytes: s(600) * 2 },
    bound: true,
  } as unknown as AssetEntry;
}

/** An anticipator of a timeline of ten minutes, on a renderer that only takes note. */
function openPlanner() {
  const signal = new FakeSignal();
  const timeline = TimelineService.inMemory(RATE);
  timeline.edit(
    [{
      op: "track.add",
      track: {
        trackId: "t",
        clips: [{ clipId: "c", assetId: "a", startFrame: 0, lengthFrames: s(600) }],
      },
    }],
    {},
    ME,
  );
  const asset = tenMinutes();
  const planner = new Anticipator({
    signal: () => signal,
    model: () => timeline.model,
    landings: () => timeline.landings,
    head: () => signal.head,
    asset: () => asset,
    memoryBytes: 300 * 16_384,
  });
  /** The newest plan, once there is nothing new to plan. */
  const plan = async () => {
    await planner.settled();
    return signal.plans.at(-1) ?? [];
  };
  /** At which rank it has a frame of the file. */
  const has = async (frame: number) =>
    (await plan()).find(({ startFrame, endFrame }) => startFrame <= frame && frame < endFrame)
      ?.rankMs;
  return { signal, timeline, planner, asset, plan, has };
}

Deno.test("a plan is made at the start, and anew when timeline, head, intents or files say something else", async () => {
  const { signal, timeline, planner, asset, plan, has } = openPlanner();
  using _planner = planner;
  assertEquals(signal.plans.length, 0);
  planner.begin();
  assertEquals((await plan())[0], { assetId: "a", startFrame: 0, endFrame: 98_304, rankMs: 0 });
  assertEquals(await has(s(500)), undefined);

  timeline.edit([{ op: "marker.add", marker: { markerId: "m", frame: s(500), name: "" } }], {}, ME);
  planner.changed();
  assertEquals(await has(s(500)), 0);

  signal.head = { ...signal.head, positionFrame: s(300) };
  planner.tick();
  assertEquals(await has(s(300)), 0);

  asset.bound = false;
  planner.changed();
  assertEquals(await plan(), []);
});

Deno.test("a head that plays on is planned for now and then, and a storm of changes not one by one", async () => {
  const { signal, planner, plan } = openPlanner();
  using _planner = planner;
  planner.begin();
  await plan();
  const made = signal.plans.length;
  for (let look = 0; look < 10; look++) {
    signal.head = { ...signal.head, state: "playing", positionFrame: look * s(0.05) };
    planner.tick();
    await planner.settled();
  }
  assertEquals(signal.plans.length, made, "half a second further nothing is new");
  signal.head = { ...signal.head, positionFrame: s(1.2) };
  planner.tick();
  await planner.settled();
  assertEquals(signal.plans.length, made + 1);
  signal.budgetUnits = 200;
  planner.tick();
  await planner.settled();
  assertEquals(signal.plans.length, made + 2, "another budget is another plan");
  // With room for all of it, where the head is only tells what would give way first.
  signal.budgetUnits = 5_000;
  planner.tick();
  await planner.settled();
  const whole = signal.plans.length;
  for (const seconds of [2, 5, 10]) {
    signal.head = { ...signal.head, positionFrame: s(seconds) };
    planner.tick();
    await planner.settled();
  }
  assertEquals(signal.plans.length, whole);
  signal.head = { ...signal.head, positionFrame: s(12) };
  planner.tick();
  await planner.settled();
  assertEquals(signal.plans.length, whole + 1);
  assertEquals(planner.progress.isWhole, true);
  for (let i = 0; i < 200; i++) planner.changed();
  await planner.settled();
  assert(signal.plans.length <= whole + 3, `${signal.plans.length - whole} plans`);
});

Deno.test("view.hint: the latest of each client counts, until it takes it back or its connection ends", async () => {
  const { planner, has } = openPlanner();
  using _planner = planner;
  planner.begin();
  const [first, again, other] = [{ clientId: "one" }, { clientId: "one" }, { clientId: "two" }];
  const cursor = (frame: number): Intent => ({ cursorFrame: frame });
  planner.hint(first, cursor(s(400)));
  planner.hint(other, cursor(s(500)));
  assertEquals([await has(s(400)), await has(s(500))], [0, 0]);
  planner.hint(first, cursor(s(450)));
  assertEquals([await has(s(400)), await has(s(450))], [undefined, 0]);
  // The client has come back by another connection before the end of the first was noticed.
  planner.hint(again, cursor(s(550)));
  planner.hint(first, {});
  assertEquals(await has(s(550)), 0);
  planner.hint(again, {});
  assertEquals([await has(s(550)), await has(s(500))], [undefined, 0]);
  planner.hint(other, { selectedClipIds: [] });
  assertEquals(await has(s(500)), undefined);
});

Deno.test("the slower reading turns out to be, the more of each place is fetched ahead of time", async () => {
  const { signal, planner, timeline, has } = openPlanner();
  using _planner = planner;
  signal.budgetUnits = 2_000;
  timeline.edit([{ op: "marker.add", marker: { markerId: "m", frame: s(500), name: "" } }], {}, ME);
  let [bytesRead, reads, readNs] = [0, 0, 0];
  signal.counters = () => ({ bytesRead, reads, readNs, convertNs: 0 });
  planner.begin();
  planner.tick();
  assertEquals([await has(s(500)), await has(s(502))], [0, undefined]);
  assertEquals(planner.progress.leadMs, 500);
  // A fifth of what this disk can give is needed for playing: 96 KB a second of 480.
  bytesRead += 4_800_000;
  reads += 100;
  readNs += 10e9;
  planner.tick();
  assertEquals(await has(s(503)), 2_000);
  assertEquals(Math.round(planner.progress.leadMs), 500 + 400 + 2_500);
  bytesRead += 480_000_000;
  reads += 10_000;
  readNs += 10e9;
  planner.tick();
  assertEquals(await has(s(503)), undefined);
});

Deno.test("what playing needs is reckoned in turns too, and a plan for a renderer that was replaced meanwhile is made anew", async () => {
  const signals = [new FakeSignal(), new FakeSignal()];
  let now = signals[0];
  const model = denseTimeline();
  const asset = tenMinutes();
  let turns = 0;
  /** Turns until the need was known, in each planning that came so far: then the budget is asked for. */
  const known: number[] = [];
  for (const signal of signals) {
    const { anticipation } = signal;
    signal.anticipation = () => {
      if (known.at(-1) !== turns) known.push(turns);
      return anticipation();
    };
  }
  using planner = new Anticipator({
    signal: () => now,
    model: () => model,
    landings: () => ({}),
    head: () => now.head,
    asset: () => asset,
    memoryBytes: 300 * 16_384,
    slices: () => ({
      turn: async () => {
        if (++turns === 100) now = signals[1];
        await null;
      },
    }),
  });
  planner.begin();
  await planner.settled();
  assertEquals([signals[0].plans.length, signals[1].plans.length > 0], [0, true]);
  assert(known[0] > 100 + 200, `the need was known after ${known[0]} turns`);
});

Deno.test("nothing is planned after the end", async () => {
  const { signal, planner } = openPlanner();
  planner.begin();
  planner.changed();
  planner[Symbol.dispose]();
  planner.changed();
  await planner.settled();
  assertEquals(signal.plans.length, 0);
});

Deno.test("a project of 45 minutes becomes resident by itself in 500 MB, and then needs no disk wherever the head goes", async () => {
  const rate = 44_100;
  const frames = 45 * 60 * rate;
  await using place = await EnginePlace.make();
  const path = `${place.library}/long.wav`;
  await sparseWav(path, { sampleRate: rate, channels: 2, frames });
  await using opened = await place.open({ memoryBytes: 500e6 });
  const { engine } = opened;
  const asset = await engine.assets.register(path, undefined, ME);
  assertEquals(engine.sampleRate, rate);
  engine.timeline.edit(lay(asset), {}, ME);
  await until(() => {
    const { settled, residentPages } = engine.signal.anticipation();
    return settled && residentPages === 14_535;
  }, "all of it is resident");
  const { symbols, engine: handle } = (engine.signal as Signal).native;
  symbols.lp_gate_set(handle, 1);
  const before = engine.signal.counters();
  engine.transport.play({ fromFrame: 0 });
  for (let i = 1; i <= 20; i++) {
    const { frames: heard } = engine.signal.counters();
    engine.transport.seek(Math.floor(i * 0.618 % 1 * (frames - 60 * rate)));
    await until(() => {
      const { acknowledged, made } = engine.signal.position();
      return acknowledged === made && engine.signal.counters().frames > heard + 2_048;
    }, "the jump is heard");
  }
  const after = engine.signal.counters();
  for (const name of ["missing", "faded", "reads", "evictions"]) {
    assertEquals(after[name], before[name], name);
  }
  symbols.lp_gate_set(handle, 0);
});

Deno.test("what a project opens with is fetched around the place where it was left, and an edit's undo is there before it is asked for", async () => {
  await using place = await EnginePlace.make();
  const path = `${place.library}/a.wav`;
  await sparseWav(path, { sampleRate: RATE, channels: 2, frames: s(600) });
  {
    await using opened = await place.open({ sampleRate: RATE });
    const { engine } = opened;
    const asset = await engine.assets.register(path, undefined, ME);
    engine.timeline.edit(lay(asset), {}, ME);
    engine.transport.seek(s(400));
  }
  await using opened = await place.open({});
  const { engine } = opened;
  const [asset] = engine.assets.list({}).assets;
  const resident = (frame: number, seconds: number) =>
    engine.signal.residentFrames(asset.assetId, frame, s(seconds)) === s(seconds);
  await until(() => resident(s(380), 40), "twenty seconds on both sides");
  assert(!resident(s(100), 1), "less than all of it fits");
  engine.timeline.edit(
    [{ op: "range.delete", startFrame: s(50), endFrame: s(200), ripple: true }],
    {},
    ME,
  );
  await until(() => resident(s(50), 0.5), "what the undo brings back");
  engine.viewHint(ME, { cursorFrame: s(20) });
  await until(() => resident(s(20), 0.5), "the cursor");
});

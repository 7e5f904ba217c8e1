import { assert, assertEquals } from "@std/assert";
import { randomPlanes } from "./support/audio_files.ts";
import { clip, firstDifference, mixOf, openRig, type Rig, track } from "./support/signal_rig.ts";

const PERIOD = 240; // 5 ms
const FADE = 720;

/** Two long files; the first sounds, the second is on disk alone. */
async function playing(): Promise<Rig> {
  const rig = await openRig({ singleStep: true, manualClock: true });
  await rig.add("old", { planes: randomPlanes(1, 2, 200_000, "s16"), encoding: "s16" });
  await rig.add("new", { planes: randomPlanes(2, 2, 200_000, "s16"), encoding: "s16" });
  rig.signal.publish(mixOf([track("t", [clip("c", "old", 0, 200_000)])]), 1, []);
  rig.signal.play(0);
  rig.settle();
  return rig;
}

const cut = () => mixOf([track("t", [clip("d", "new", 0, 200_000)])]);

Deno.test("a cut onto absent pages keeps the old sound, exactly, until they are there", async () => {
  await using rig = await playing();
  const old = rig.sources.get("old")![0];
  const { symbols, engine } = rig.signal.native;
  rig.render(PERIOD);
  rig.signal.publish(cut(), 2, []);
  assert(rig.signal.position().gateWaiting);
  let at = PERIOD;
  for (let period = 0; period < 4; period++, at += PERIOD) {
    symbols.lp_step_follow(engine);
    const [left] = rig.render(PERIOD);
    assertEquals(firstDifference(left, old.slice(at, at + PERIOD)), -1, `period ${period}`);
    assertEquals(rig.signal.position().revision, 1);
  }
  rig.settle();
  // In the very next period the new revision sounds: a fade, then the new file to the sample.
  const [left] = rig.render(FADE + 1000);
  assertEquals(rig.signal.position().revision, 2);
  const fresh = rig.sources.get("new")![0];
  assertEquals(
    firstDifference(left.slice(FADE), fresh.slice(at + FADE, at + FADE + 1000)),
    -1,
  );
  for (let i = 0; i < FADE; i++) {
    const w = (i + 0.5) / FADE;
    const expected = fresh[at + i] * w + old[at + i] * (1 - w);
    assert(Math.abs(left[i] - expected) < 1e-6, `fade frame ${i}`);
  }
  const { missing, faded, admittedByDeadline } = rig.signal.counters();
  assertEquals({ missing, faded, admittedByDeadline }, {
    missing: 0,
    faded: 0,
    admittedByDeadline: 0,
  });
});

Deno.test("a cut onto pages that do not come is heard at the deadline, as a counted gap", async () => {
  await using rig = await playing();
  const old = rig.sources.get("old")![0];
  const { symbols, engine } = rig.signal.native;
  rig.render(PERIOD);
  rig.signal.publish(cut(), 2, []);
  let at = PERIOD;
  let periods = 0;
  for (; periods < 20; periods++) {
    symbols.lp_step_follow(engine);
    if (!rig.signal.position().gateWaiting) break;
    const [left] = rig.render(PERIOD);
    assertEquals(firstDifference(left, old.slice(at, at + PERIOD)), -1);
    at += PERIOD;
  }
  assertEquals(periods, 6, "30 ms of 5 ms each");
  const [left] = rig.render(FADE + PERIOD);
  assertEquals(rig.signal.position().revision, 2);
  assertEquals(left.slice(FADE).every((x) => x === 0), true);
  const counters = rig.signal.counters();
  assertEquals(counters.admittedByDeadline, 1);
  assertEquals(counters.missing, FADE + PERIOD);
  assertEquals(counters["missing.queue"], FADE + PERIOD);
  assertEquals(rig.signal.trackCounters("t").missing, FADE + PERIOD);
  // It heals by a fade in when the pages come.
  rig.settle();
  const [healed] = rig.render(FADE + 100);
  const fresh = rig.sources.get("new")![0];
  const from = at + FADE + PERIOD;
  assertEquals(
    firstDifference(healed.slice(FADE), fresh.slice(from + FADE, from + FADE + 100)),
    -1,
  );
  assert(Math.abs(healed[0]) <= Math.abs(fresh[from]) * 0.01);
  const gaps = rig.signal.drainEvents().filter((e) => e.kind === "gapBegin" || e.kind === "gapEnd");
  assertEquals(gaps.map((e) => e.kind), ["gapBegin", "gapEnd"]);
});

Deno.test("a storm of 200 edits a second onto absent pages is heard throughout", async () => {
  await using rig = await playing();
  const { symbols, engine } = rig.signal.native;
  let heard = 1;
  let longest = 0;
  let since = 0;
  for (let edit = 2; edit < 402; edit++) {
    // Each edit plays other pages that never come.
    const c = clip(`c${edit}`, "new", 0, 100_000, { sourceFrame: (edit % 2) * 90_000 });
    rig.signal.publish(mixOf([track("t", [c])]), edit, []);
    symbols.lp_step_follow(engine);
    rig.render(PERIOD);
    since += PERIOD;
    const { revision } = rig.signal.position();
    if (revision !== heard) {
      heard = revision;
      longest = Math.max(longest, since);
      since = 0;
    }
  }
  // The gate's 30 ms, the running fade's 15 ms, and one period to be taken in.
  assert(longest <= 0.05 * 48_000 + PERIOD, `longest silence of edits: ${longest} frames`);
  assert(heard > 380);
});

Deno.test("the sound fades out ahead of a hole and in after it, and every frame is counted", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  const ones = new Float64Array(400_000).fill(0.5);
  await rig.add("a", { planes: [ones], encoding: "f32" });
  rig.signal.publish(mixOf([track("t", [clip("c", "a", 0, 400_000)])]), 1, []);
  const { symbols, engine } = rig.signal.native;
  rig.signal.play(0);
  rig.settle();
  symbols.lp_gate_set(engine, 1);
  assert(symbols.lp_store_drop(engine) > 0);
  symbols.lp_gate_release(engine, 1);
  rig.settle(); // one read: some pages from the head on, then a hole
  const source = 1;
  const there = symbols.lp_source_resident(engine, source, 0, 400_000);
  assert(there > 4096 && there < 400_000, `${there} frames are there`);
  const out: number[] = [];
  while (out.length < there + 3000) out.push(...rig.render(PERIOD)[0]);
  assertEquals(out.slice(0, there - FADE).every((x) => x === 0.5), true);
  for (let i = there - FADE; i < there; i++) {
    assert(out[i] <= out[i - 1] && out[i - 1] - out[i] < 0.5 / FADE + 1e-6, `frame ${i}`);
  }
  assertEquals(out.slice(there).every((x) => x === 0), true);
  const before = rig.signal.counters();
  assertEquals(before.missing, out.length - there);
  assertEquals(before.faded, FADE - 1);
  symbols.lp_gate_set(engine, 0);
  rig.settle();
  const [back] = rig.render(1000);
  assertEquals(back.slice(FADE).every((x) => x === 0.5), true);
  for (let i = 1; i < FADE; i++) assert(back[i] >= back[i - 1] && back[i] - back[i - 1] < 0.001);
  assertEquals(rig.signal.counters().missing, before.missing);
});

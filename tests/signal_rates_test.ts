/**
 * Clips at other rates and backwards, as they sound: against the reference, against themselves cut into parts, around holes. The native half's own tests are in
 * `native/speed_main.c`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type ClipBody, sliceBody } from "../engine/pulse/clip_body.ts";
import { soundingRate } from "../engine/signal/speed.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { prng } from "./support/prng.ts";
import { referenceMix } from "./support/reference_mix.ts";
import {
  clip,
  firstDifference,
  firstUnlike,
  mixOf,
  openRig,
  type Rig,
  type TestClip,
  track,
} from "./support/signal_rig.ts";

const RATES = [1 / 16, 0.5, 0.75, 1, 48_000 / 44_100, 1.1, 1.5, 2, Math.PI, 4, 16];
const FADE = 720;

async function openSounds(memoryBytes = 64e6): Promise<Rig> {
  const rig = await openRig({ singleStep: true, manualClock: true, memoryBytes });
  await rig.add("mono", { planes: randomPlanes(1, 1, 90_000, "s16"), encoding: "s16" });
  await rig.add("stereo", { planes: randomPlanes(2, 2, 90_000, "s24"), encoding: "s24" });
  await rig.add("float", { planes: randomPlanes(3, 2, 90_000, "f32"), encoding: "f32" });
  return rig;
}

/** What a mix of clips on one track plays from a frame on, in blocks of whatever size. */
function play(
  rig: Rig,
  clips: readonly TestClip[],
  from: number,
  frames: number,
  block: () => number,
) {
  const { signal } = rig;
  signal.stop();
  rig.render(2 * FADE);
  signal.publish(mixOf([track("t", [...clips])], 1 + block() % 5), ++revision, []);
  signal.play(from);
  const out = [new Float32Array(frames), new Float32Array(frames)];
  for (let at = 0; at < frames;) {
    rig.settle();
    const sides = rig.render(Math.min(block(), frames - at));
    sides.forEach((side, i) => out[i].set(side, at));
    at += sides[0].length;
  }
  return out;
}
let revision = 0;

Deno.test("a clip at any rate, forward or backwards, from whatever place, sounds as its definition", async () => {
  await using rig = await openSounds();
  const random = prng(3);
  for (const rate of RATES) {
    for (const reverse of [false, true]) {
      for (const sourceFrame of [random.int(20_000), random.int(20_000) + random.next(), -300.5]) {
        const c = clip("c", random.pick(["mono", "stereo", "float"]), 100, 2000, {
          rate,
          reverse,
          sourceFrame,
          gainDb: -3,
          fadeInFrames: random.int(500),
          fadeOutFrames: random.int(500),
        });
        const got = play(rig, [c], 0, 2200, () => 1 + random.int(700));
        const rough = new Uint8Array(2200);
        const want = referenceMix([track("t", [c])], rig.sources, 0, 2200, rough);
        const where = `${c.assetId} at ${rate}${reverse ? " backwards" : ""} from ${sourceFrame}`;
        assertEquals(firstUnlike(got[0], want[0], rough), -1, `left, ${where}`);
        assertEquals(firstUnlike(got[1], want[1], rough), -1, `right, ${where}`);
        assertEquals(rough.includes(1), rate !== 1 || !Number.isInteger(sourceFrame));
      }
    }
  }
  const { missing, faded } = rig.signal.counters();
  assertEquals([missing, faded], [0, 0]);
});

Deno.test("a split at any rate changes no bit of what sounds, in blocks of any size and with pages of any shape", async () => {
  await using rig = await openSounds();
  const random = prng(5);
  for (let round = 0; round < 60; round++) {
    const rate = random.pick(RATES);
    const lengthFrames = 500 + random.int(Math.min(4000, Math.floor(80_000 / rate)));
    const { startFrame: _, ...whole } = clip(
      "c",
      random.pick(["mono", "stereo", "float"]),
      0,
      lengthFrames,
      {
        rate,
        sourceFrame: random.int(5_000) + random.pick([0, 0.5, 1 / 3, random.next()]),
        ...(random.chance(0.5) && { reverse: true }),
      },
    );
    const parts: TestClip[] = [];
    for (let at = 0; at < lengthFrames;) {
      const length = Math.min(lengthFrames - at, 1 + random.int(lengthFrames));
      const body = sliceBody(whole as ClipBody, at, length, {}, { clipId: `c${at}` });
      parts.push({ ...body, startFrame: at } as TestClip);
      at += length;
    }
    const sizes = [1 + random.int(64), 1 + random.int(900)];
    const together = play(rig, [{ ...whole, startFrame: 0 }], 0, lengthFrames, () => 512);
    const apart = play(rig, parts, 0, lengthFrames, () => random.pick(sizes));
    const where = `round ${round}: ${whole.assetId} at ${rate}, ${parts.length} parts`;
    assertEquals(firstDifference(apart[0], together[0]), -1, `left, ${where}`);
    assertEquals(firstDifference(apart[1], together[1]), -1, `right, ${where}`);
    assert(together[0].some((x) => x !== 0), where);
  }
});

Deno.test("backwards a clip plays the very samples that it plays forward, in the other order, at any rate", async () => {
  await using rig = await openSounds();
  for (const rate of [1, 1.5, 0.75, 16]) {
    const more = { rate, sourceFrame: 700.25 };
    const [forward] = play(rig, [clip("c", "stereo", 0, 3000, more)], 0, 3000, () => 300);
    const back = { ...more, reverse: true };
    const [backward] = play(rig, [clip("d", "stereo", 0, 3000, back)], 0, 3000, () => 511);
    assertEquals(firstDifference(backward.reverse(), forward), -1, `at ${rate}`);
  }
});

Deno.test("a live renderer and an offline one give the same bits at any rate", async () => {
  await using rig = await openSounds();
  for (const [i, rate] of [1.5, 0.3, 16].entries()) {
    const c = clip(`c${i}`, "float", 50, 4000, { rate, sourceFrame: 10.75, reverse: i === 1 });
    const [left] = play(rig, [c], 0, 4096, () => 640);
    await using offline = rig.signal.renderOffline(mixOf([track("t", [c])]), 0);
    const out = await offline.next(4096);
    assertEquals(firstDifference(out.filter((_, i) => i % 2 === 0), left), -1, `at ${rate}`);
  }
});

Deno.test("overlaps, nested clips and loops of clips at other rates sound as the reference", async () => {
  await using rig = await openSounds();
  const random = prng(17);
  for (let round = 0; round < 10; round++) {
    const clips = Array.from(
      { length: 8 },
      (_, i) =>
        clip(
          `c${i}`,
          random.pick(["mono", "stereo", "float"]),
          random.int(3000),
          1 + random.int(2500),
          {
            rate: random.pick(RATES),
            reverse: random.chance(0.4),
            sourceFrame: random.int(9_000) - 500 + random.pick([0, 0.3]),
            speedMode: random.pick(["matchSpeed", "matchSpeed", "mute"]),
            fadeInFrames: random.int(100),
            fadeOutFrames: random.int(100),
            fadeInShape: random.pick(["linear", "equalPower"]),
          },
        ),
    ).sort((a, b) => a.startFrame - b.startFrame);
    const got = play(rig, clips, 0, 6000, () => 1 + random.int(1500));
    const rough = new Uint8Array(6000);
    const want = referenceMix([track("t", clips)], rig.sources, 0, 6000, rough);
    assertEquals(firstUnlike(got[0], want[0], rough), -1, `round ${round}`);
    assertEquals(firstUnlike(got[1], want[1], rough), -1, `round ${round}`);
  }
  const c = clip("c", "mono", 0, 30_000, { rate: 1.5, sourceFrame: 0.5 });
  rig.signal.setLoop({ enabled: true, startFrame: 1000, endFrame: 1037 });
  const [looped] = play(rig, [c], 900, 1024, () => 200);
  rig.signal.setLoop({ enabled: false, startFrame: 1000, endFrame: 1037 });
  const [straight] = play(rig, [c], 900, 200, () => 200);
  for (let i = 0, at = 0; i < looped.length; i++, at = at === 136 ? 100 : at + 1) {
    assertEquals(looped[i], straight[at], `frame ${i}`);
  }
});

for (
  const [rate, reverse] of [[1.5, false], [0.75, true], [4, true], [16, false], [1, true]] as const
) {
  const direction = reverse ? " backwards" : "";
  Deno.test(`around a hole a clip at ${rate}${direction} sinks and rises without a step, and the gap names its page`, async () => {
    await using rig = await openRig({ singleStep: true, manualClock: true, memoryBytes: 64e6 });
    const length = 16 * 4096;
    await rig.add("ones", { planes: [new Float64Array(length).fill(0.5)], encoding: "f32" });
    const { symbols, engine } = rig.signal.native;
    const lengthFrames = Math.floor((length - 2000) / rate);
    const c = clip("c", "ones", 0, lengthFrames, {
      rate,
      reverse,
      sourceFrame: rate === 1 ? 1000 : 1000.5,
    });
    // All but page 8 is there. The follower does not run: nothing comes meanwhile.
    for (const [from, to] of [[0, 8 * 4096], [9 * 4096, length]]) {
      assertEquals(symbols.lp_source_prefetch(engine, 1, from, to), 0);
    }
    while (symbols.lp_step_fill(engine) > 0);
    assertEquals(rig.signal.residentFrames("ones", 0, length), 8 * 4096);
    rig.signal.publish(mixOf([track("t", [c])]), 1, []);
    rig.signal.play(0);
    const parts: Float32Array[] = [];
    for (let at = 0; at < lengthFrames; at += 300) {
      parts.push(rig.render(Math.min(300, lengthFrames - at))[0]);
    }
    const got = Float32Array.from(parts.flatMap((part) => [...part]));
    const silent = got.map((x) => x === 0 ? 1 : 0);
    const first = silent.indexOf(1);
    const last = silent.lastIndexOf(1);
    assert(silent.slice(first, last + 1).every((x) => x === 1), "one hole");
    // Just the frames of which the filter would have taken what is not there.
    const taps = Math.round(last + 1 - first - 4096 / rate) * rate;
    assert(
      rate === 1
        ? taps === 0
        : taps > 100 * Math.max(1, rate) && taps < 200 * Math.max(1, rate) + 2 * rate,
      `${taps} taps`,
    );
    let step = 0;
    for (let i = 1; i < got.length; i++) step = Math.max(step, Math.abs(got[i] - got[i - 1]));
    assert(step < 0.5 / FADE + 1e-5, `largest step ${step}`);
    assert(got[first - FADE - 1] > 0.4999 && got[last + FADE + 1] > 0.4999);
    const gaps = rig.signal.drainEvents().filter(({ kind }) =>
      kind === "gapBegin" || kind === "gapEnd"
    );
    assertEquals(gaps.map(({ kind }) => kind), ["gapBegin", "gapEnd"]);
    const [begin, end] = gaps as Extract<typeof gaps[0], { kind: "gapBegin" | "gapEnd" }>[];
    assertEquals([begin.positionFrame, end.positionFrame], [first, last + 1]);
    assertEquals(end.frames, last + 1 - first);
    assertEquals(begin.sourceFrame, reverse ? 9 * 4096 - 1 : 8 * 4096);
    assertEquals(begin.step, soundingRate(rate) * (reverse ? -1 : 1));
    assertEquals(rig.signal.counters().missing, last + 1 - first);
  });
}

/** A file of so many seconds, of which a small part fits into memory. */
async function openLong(seconds: number, memoryBytes: number): Promise<Rig> {
  const rig = await openRig({ singleStep: true, manualClock: true, memoryBytes });
  let x = 1;
  const plane = Int16Array.from({ length: seconds * 48_000 }, () => {
    x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
    return x >> 18;
  });
  await rig.add("long", { planes: [plane], encoding: "s16" });
  return rig;
}

Deno.test("a long file streams through a small memory at any rate, backwards too, and nothing is missing", async () => {
  await using rig = await openLong(60, 3e6);
  const { signal } = rig;
  const missing = () => signal.counters().missing + signal.counters().faded;
  for (
    const [rate, reverse] of [[1.5, true], [0.75, false], [4, true], [16, false], [
      16,
      true,
    ]] as const
  ) {
    const lengthFrames = Math.min(2 * 48_000, Math.floor(59 * 48_000 / rate));
    signal.stop();
    rig.render(2 * FADE);
    const c = clip(`c${rate}`, "long", 0, lengthFrames, { rate, reverse, sourceFrame: 1000.25 });
    signal.publish(mixOf([track("t", [c])]), ++revision, []);
    signal.play(0);
    rig.settle();
    for (let at = 0; at < lengthFrames - 480; at += 480) {
      // A pass of the follower every 10 ms, and a few reads: no more than is due.
      signal.native.symbols.lp_step_follow(signal.native.engine);
      while (signal.native.symbols.lp_step_fill(signal.native.engine) > 0);
      rig.render(480);
      assertEquals(missing(), 0, `at ${rate}${reverse ? " backwards" : ""}, frame ${at}`);
    }
    const rough = new Uint8Array(480);
    const at = Math.floor((lengthFrames - 480) / 480) * 480;
    signal.seek(at);
    rig.settle();
    rig.render(FADE);
    const [got] = rig.render(Math.min(240, lengthFrames - at - FADE > 0 ? 240 : 1));
    const want = referenceMix([track("t", [c])], rig.sources, at + FADE, got.length, rough);
    assertEquals(firstUnlike(got, want[0], rough), -1);
  }
});

Deno.test("of a clip that plays backwards the page at the head is read first, then those before it", async () => {
  await using rig = await openLong(20, 64e6);
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  const c = clip("c", "long", 0, 100_000, { rate: 2, reverse: true, sourceFrame: 100_000 });
  signal.publish(mixOf([track("t", [c])]), ++revision, []);
  symbols.lp_gate_set(engine, 1);
  signal.play(0);
  const last = 300_000 - 1;
  const there: boolean[][] = [];
  for (let read = 0; read < 3; read++) {
    symbols.lp_step_follow(engine);
    symbols.lp_gate_release(engine, 1);
    while (symbols.lp_step_fill(engine) > 0);
    there.push([last, 200_000, 101_000].map((at) => signal.residentFrames("long", at, 1) === 1));
  }
  assert(there[0][0], "the head's page came first");
  assert(!there[0][2], "what is played last did not");
  symbols.lp_gate_set(engine, 0);
});

Deno.test("at another rate too the proxy sounds where the file is not there: nothing is missing, and in the hole it is the proxy's own sound", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true, memoryBytes: 64e6 });
  const length = 100_000;
  await rig.add("full", { planes: randomPlanes(1, 2, length, "s16"), encoding: "s16" });
  await rig.add("proxy", { planes: randomPlanes(2, 1, length, "s16"), encoding: "s16" });
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  for (const [rate, reverse] of [[1.5, false], [0.75, true], [1, true]] as const) {
    const more = { rate, reverse, sourceFrame: rate === 1 ? 500 : 500.5 };
    const lengthFrames = 90_000 / rate;
    const sound = async (assetId: string) => {
      const mix = mixOf([track("t", [clip("c", assetId, 0, lengthFrames, more)])]);
      await using render = signal.renderOffline(mix, 0);
      return (await render.next(lengthFrames)).filter((_, i) => i % 2 === 0);
    };
    signal.setProxy("full", null);
    const own = await sound("full");
    const stand = await sound("proxy");
    signal.setProxy("full", "proxy");
    signal.stop();
    rig.render(2 * FADE);
    symbols.lp_store_drop(engine);
    symbols.lp_source_prefetch(engine, 2, 0, length);
    symbols.lp_source_prefetch(engine, 1, 0, 4 * 8192);
    symbols.lp_source_prefetch(engine, 1, 6 * 8192, length);
    while (symbols.lp_step_fill(engine) > 0);
    const before = signal.counters();
    signal.publish(mixOf([track("t", [clip("c", "full", 0, lengthFrames, more)])]), ++revision, []);
    signal.play(0);
    const got = new Float32Array(lengthFrames);
    for (let at = 0; at < lengthFrames; at += 400) got.set(rig.render(400)[0], at);
    const same = (a: Float32Array) => got.reduce((n, x, i) => n + (x === a[i] ? 1 : 0), 0);
    const hole = Math.floor(2 * 8192 / rate);
    const where = `at ${rate}${reverse ? " backwards" : ""}`;
    assert(
      Math.abs(same(stand) - hole) < 400 + hole / 20,
      `${where}: ${same(stand)} frames of the proxy`,
    );
    assert(
      same(own) + same(stand) + 2 * FADE + 10 >= lengthFrames,
      `${where}: ${same(own)} of the file`,
    );
    const now = signal.counters();
    assertEquals([now.missing - before.missing, now.faded - before.faded], [0, 0], where);
  }
});

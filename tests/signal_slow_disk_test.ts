/**
 * A disk that falls behind: its sources are read further ahead, are heard from their proxies before nothing is left, and come back by themselves.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { makeWav } from "./support/audio_files.ts";
import {
  clip,
  firstDifference,
  mixOf,
  openRig,
  type Rig,
  track,
  unzip,
} from "./support/signal_rig.ts";

const RATE = 48_000;
const PERIOD = 2_400; // 50 ms
const FADE = 720;
const PAGE = 8_192;
const FRAMES = 24 * RATE;
const f = Math.fround;

function noise(seed: number, channels: number, frames: number): Int16Array[] {
  let x = seed;
  return Array.from({ length: channels }, () =>
    Int16Array.from({ length: frames }, () => {
      x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
      return x >> 17;
    }));
}

/** Stands for a fade between two rows, frame by frame (`mix.c`). */
function blended(own: Float32Array, proxy: Float32Array, holeAt: number, back: number) {
  const step = f(1 / FADE);
  const out = new Float32Array(own.length);
  let w = 1;
  let proxied = 0;
  for (let i = 0; i < out.length; i++) {
    w = Math.min(1, f(w + step));
    if (i < holeAt) w = Math.min(w, f(f(holeAt - i) * step));
    else if (i < back) w = 0;
    if (w < 1) proxied++;
    out[i] = f(f(own[i] * w) + f(proxy[i] * f(f(1 - w) * 1)));
  }
  return { out, proxied };
}

function join(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

Deno.test("a source whose disk stands still is heard from its proxy before it has nothing left, and comes back by itself, each by a fade", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  await rig.add("full", { planes: noise(1, 2, FRAMES), encoding: "s16" });
  await rig.add("proxy", {
    planes: noise(2, 1, FRAMES / 4),
    encoding: "s16",
    sampleRate: RATE / 4,
  });
  await rig.add("other", { planes: noise(3, 2, FRAMES), encoding: "s16" });
  await using render = signal.renderOffline(
    mixOf([track("t", [clip("c", "proxy", 0, FRAMES)])]),
    0,
  );
  const proxy = unzip(await render.next(FRAMES))[0];
  symbols.lp_store_drop(engine);
  signal.setProxy("full", "proxy");
  signal.publish(
    mixOf([
      track("t", [clip("c", "full", 0, FRAMES)], { pan: -1 }),
      track("u", [clip("d", "other", 0, FRAMES)], { pan: 1 }),
    ]),
    1,
    [],
  );
  // The other source has all that it will need.
  symbols.lp_source_prefetch(engine, 3, 0, FRAMES);
  signal.play(0);
  rig.settle();
  const left: Float32Array[] = [];
  const right: Float32Array[] = [];
  let at = 0;
  /** One period; says whether the source is slow then. */
  const period = (reads: number): boolean => {
    symbols.lp_gate_release(engine, reads);
    symbols.lp_step_follow(engine);
    while (symbols.lp_step_fill(engine) > 0);
    const [l, r] = rig.render(PERIOD);
    left.push(l);
    right.push(r);
    at += PERIOD;
    return signal.supply("full")!.slow;
  };
  for (let i = 0; i < 20; i++) assertEquals(period(0), false);
  assertEquals(
    signal.residentFrames("proxy", 0, 1),
    0,
    "a proxy costs nothing while it is not needed",
  );

  // From here on nothing is read but what comes first, and that only while the proxy is needed and less than a quarter of a second of it is there.
  symbols.lp_gate_set(engine, 1);
  const hole = at + signal.residentFrames("full", at, FRAMES);
  let slowAt = -1;
  while (at < hole + 3 * RATE) {
    const lacks = signal.residentFrames("proxy", at, RATE / 4) < RATE / 4;
    const slow = period(slowAt >= 0 && lacks ? 1 : 0);
    if (slow && slowAt < 0) slowAt = at;
    assertEquals(slow, slowAt >= 0, "it does not go to and fro");
  }
  // A second ahead of the hole, and a tenth of one to be sure.
  assert(
    slowAt > hole - RATE && slowAt <= hole - 0.7 * RATE,
    `slow from ${slowAt} on, hole at ${hole}`,
  );
  assertEquals(signal.counters().slowSources, 1);
  // Its own pages are asked for all the same, after the proxy's: they take what is left of the reads.
  const queued = signal.counters().queueLength;
  assert(queued > 0, `${queued} pages wait`);

  // The disk has recovered.
  symbols.lp_gate_set(engine, 0);
  symbols.lp_step_follow(engine);
  while (symbols.lp_step_fill(engine) > 0);
  let back = at;
  while (signal.residentFrames("full", back, 1) === 0) back++;
  assert(
    back - at >= 0 && back - at <= 0.5 * RATE + PAGE,
    `its pages are there from ${back} on, ${at} is heard`,
  );
  assertEquals(signal.residentFrames("full", back, 5 * RATE), 5 * RATE);
  let slowPeriods = 0;
  for (let i = 0; i < 60; i++) slowPeriods += Number(period(0));
  assert(slowPeriods >= 10 && slowPeriods <= 14, `slow for ${slowPeriods * 50} ms more`);
  assertEquals(signal.supply("full")!.slow, false);
  assertEquals(signal.counters().slowSources, 0);

  const own = rig.sources.get("full")![0].slice(0, at);
  const { out, proxied } = blended(own, proxy, hole, back);
  const heard = join(left);
  assertEquals(firstDifference(heard, out), -1);
  assertEquals(firstDifference(heard.slice(back + FADE), own.slice(back + FADE)), -1);
  assertEquals(firstDifference(join(right), rig.sources.get("other")![1].slice(0, at)), -1);
  const counters = signal.counters();
  assertEquals([counters.missing, counters.faded, counters.proxied], [0, 0, proxied]);
});

/** A file of silence of which the disk holds nothing. */
async function addSilence(rig: Rig, assetId: string, frames: number): Promise<void> {
  const path = `${rig.folder}/${assetId}.wav`;
  const bytes = makeWav({ planes: [new Int16Array(2)], encoding: "s16" });
  const view = new DataView(bytes.buffer);
  view.setUint32(4, 36 + frames * 2, true);
  view.setUint32(40, frames * 2, true);
  await Deno.writeFile(path, bytes);
  await Deno.truncate(path, 44 + frames * 2);
  await rig.signal.openSource(assetId, path);
}

Deno.test("read-ahead of a source grows in steps to 30 s while its pages come late, and shrinks to 10 s when it is calm", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  const frames = 200 * RATE;
  await addSilence(rig, "late", frames);
  signal.publish(mixOf([track("t", [clip("c", "late", 0, frames)])]), 1, []);
  signal.play(0);
  rig.settle();
  let at = 0;
  const steps: [seconds: number, readAheadMs: number][] = [];
  /** Plays on, as long as it is told or until something is so, and notes the steps. */
  const play = (seconds: number, until = () => false) => {
    for (const end = at + seconds * RATE; at < end && !until(); at += PERIOD) {
      symbols.lp_step_follow(engine);
      while (symbols.lp_step_fill(engine) > 0);
      rig.render(PERIOD);
      const { readAheadMs } = signal.supply("late")!;
      if (steps.at(-1)?.[1] !== readAheadMs) steps.push([at / RATE, readAheadMs]);
    }
  };
  const ahead = () => signal.residentFrames("late", at, frames) / RATE;
  play(12);
  // Whole pages, the last of them begun within 10 s.
  assert(ahead() > 9.8 && ahead() < 10.2, `${ahead()} s are there`);
  assertEquals(steps, [[0, 10_000]]);
  assertEquals(signal.counters().readAheadMs, 10_000);

  symbols.lp_gate_set(engine, 1);
  play(60, () => signal.supply("late")!.readAheadMs === 15_000);
  // Five seconds were left, and then another one has passed.
  assert(ahead() > 3.7 && ahead() < 4.2, `${ahead()} s are left`);
  assertEquals(signal.counters().missing, 0);
  symbols.lp_gate_set(engine, 0);
  play(1);
  assert(ahead() > 14.8 && ahead() < 15.2, `${ahead()} s are there`);

  // It gets worse: it grows to its end, and no further.
  symbols.lp_gate_set(engine, 1);
  play(60, () => ahead() < 1);
  assertEquals(steps.map(([, ms]) => ms), [10_000, 15_000, 20_000, 30_000]);
  assertEquals(signal.counters().readAheadMs, 30_000);
  symbols.lp_gate_set(engine, 0);
  play(1);
  assert(ahead() > 29.8 && ahead() < 30.2, `${ahead()} s are there`);
  assert(signal.counters().horizonMs >= 10_000);

  // Ten calm seconds a step.
  play(35);
  assertEquals(steps.map(([, ms]) => ms), [10_000, 15_000, 20_000, 30_000, 20_000, 15_000, 10_000]);
  const [, , , , first, second, third] = steps.map(([seconds]) => seconds);
  for (const between of [second - first, third - second]) {
    assert(Math.abs(between - 10) <= 0.1, `${between} s between two steps`);
  }
  assertEquals(signal.counters().readAheadMs, 10_000);
  assertEquals(signal.counters().missing, 0);
});

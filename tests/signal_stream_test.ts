import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineError } from "../engine/errors.ts";
import type { StreamSound } from "../engine/signal/signal_api.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { clip, firstDifference, mixOf, openRig, type Rig, track } from "./support/signal_rig.ts";

const FRAMES = 30_000;
const FADE = 720;

async function openStreams(): Promise<Rig> {
  const rig = await openRig({ singleStep: true, manualClock: true });
  for (const [id, seed] of [["a", 1], ["b", 2], ["c", 3]] as const) {
    await rig.add(id, { planes: randomPlanes(seed, 2, FRAMES, "s16"), encoding: "s16" });
  }
  return rig;
}

const whole = (assetId: string, more: Partial<StreamSound> = {}): StreamSound => ({
  assetId,
  lengthFrames: FRAMES,
  startFrame: 0,
  loop: false,
  gainDb: 0,
  ...more,
});

/** The left side of what an asset sounds like in a range, for sums. */
function part(rig: Rig, assetId: string, from: number, to: number): Float32Array {
  return rig.sources.get(assetId)![0].slice(from, to);
}
const sum = (a: Float32Array, b: Float32Array) => a.map((x, i) => Math.fround(x + b[i]));

Deno.test("a stream sounds beside the timeline from its place on, and ends with its asset", async () => {
  await using rig = await openStreams();
  const { signal } = rig;
  signal.publish(mixOf([track("t", [clip("c", "a", 0, FRAMES)])]), 1, []);
  signal.play(0);
  await using stream = signal.openStream();
  stream.play(whole("b", { startFrame: 20_000 }));
  assertEquals(stream.state().state, "filling");
  rig.settle();
  const [left] = rig.render(15_000);
  const b = new Float32Array(15_000);
  b.set(part(rig, "b", 20_000, FRAMES));
  assertEquals(firstDifference(left, sum(part(rig, "a", 0, 15_000), b)), -1);
  assertEquals(stream.drainEvents().map(({ kind }) => kind), ["end"]);
  assertEquals([stream.state().positionFrame, stream.state().state], [FRAMES, "ready"]);
  assertEquals(signal.position().positionFrame, 15_000, "the timeline's head is its own");
});

Deno.test("a stream loops over its asset without a seam", async () => {
  await using rig = await openStreams();
  await using stream = rig.signal.openStream();
  stream.play(whole("b", { startFrame: FRAMES - 100, loop: true }));
  rig.settle();
  const [left] = rig.render(1_000 + FRAMES);
  const b = part(rig, "b", 0, FRAMES);
  assertEquals(firstDifference(left.slice(0, 100), b.slice(-100)), -1);
  assertEquals(firstDifference(left.slice(100, 100 + FRAMES), b), -1);
  assertEquals(firstDifference(left.slice(100 + FRAMES), b.slice(0, 900)), -1);
});

Deno.test("what replaces a stream's sound fades into it in one step", async () => {
  await using rig = await openStreams();
  await using stream = rig.signal.openStream();
  stream.play(whole("b", { loop: true }));
  rig.settle();
  rig.render(1_000);
  stream.play(whole("c", { startFrame: 7_000 }));
  rig.settle();
  const [left] = rig.render(FADE + 2_000);
  const before = part(rig, "b", 1_000, 1_000 + FADE);
  const after = part(rig, "c", 7_000, 7_000 + FADE + 2_000);
  for (let i = 0; i < FADE; i++) {
    const w = (i + 0.5) / FADE;
    const expected = after[i] * w + before[i] * (1 - w);
    assert(Math.abs(left[i] - expected) < 1e-6, `frame ${i}: ${left[i]}, not ${expected}`);
  }
  assertEquals(firstDifference(left.slice(FADE), after.slice(FADE)), -1);
});

Deno.test("a stream whose frames do not come is told, counted and heard again when they do", async () => {
  await using rig = await openStreams();
  const { symbols, engine } = rig.signal.native;
  await using stream = rig.signal.openStream();
  symbols.lp_gate_set(engine, 1);
  stream.play(whole("b"));
  for (let i = 0; i < 20; i++) {
    symbols.lp_step_follow(engine);
    rig.render(256);
  }
  assertEquals(stream.drainEvents().map(({ kind }) => kind), ["gapBegin"]);
  assertEquals(stream.state().state, "underrun");
  symbols.lp_gate_set(engine, 0);
  rig.settle();
  rig.render(2_000);
  assertEquals(stream.drainEvents().map(({ kind }) => kind), ["gapEnd"]);
  const { state, positionFrame } = stream.state();
  assertEquals(state, "ready");
  const [left] = rig.render(1_000);
  const b = part(rig, "b", positionFrame, positionFrame + 1_000);
  assertEquals(firstDifference(left, b), -1, "a gap, never a delay");
});

Deno.test("a stream fades out when it is disposed of, and 32 sound at a time", async () => {
  await using rig = await openStreams();
  const streams = Array.from({ length: 32 }, () => rig.signal.openStream());
  const error = assertThrows(() => rig.signal.openStream(), EngineError);
  assertEquals(error.code, "limit.exceeded");
  streams[0].play(whole("b"));
  rig.settle();
  rig.render(1_000);
  const ending = streams[0][Symbol.asyncDispose]();
  const [left] = rig.render(FADE + 10);
  const b = part(rig, "b", 1_000, 1_000 + FADE);
  for (let i = 0; i < FADE; i++) {
    assert(Math.abs(left[i] - b[i] * (1 - (i + 0.5) / FADE)) < 1e-6, `frame ${i}`);
  }
  assert(left.slice(FADE).every((x) => x === 0));
  await ending;
  await using another = rig.signal.openStream();
  another.play(whole("c"));
  rig.settle();
  assertEquals(firstDifference(rig.render(500)[0], part(rig, "c", 0, 500)), -1);
  await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
});

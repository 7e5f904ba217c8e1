import { assert, assertEquals } from "@std/assert";
import type { MixBlock } from "../engine/signal/model.ts";
import { renderId } from "../engine/signal/played.ts";
import { BLOCKS_AGAIN, Rebinding } from "../engine/signal/rebinding.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { clip, firstDifference, mixOf, openRig, track } from "./support/signal_rig.ts";

const RATE = 48_000;
const LENGTH = 4_800;

/** Clips of assets `a0`, `a1` … one after another, four to a block. */
const mix = mixOf([
  track("t", Array.from({ length: 400 }, (_, i) => clip(`c${i}`, `a${i}`, i * LENGTH, LENGTH))),
], 4);
const blocks: MixBlock[] = mix.tracks[0].blocks.map(({ block }) => block);
const placeOf = (block: MixBlock) => blocks.indexOf(block);

Deno.test("blocks are packed anew for their sources a few at a time, the nearest to the head first, each once", () => {
  const rebinding = new Rebinding(RATE);
  for (let i = 0; i < 400; i++) rebinding.add(`a${i}`);
  const seen: number[] = [];
  const head = 200 * LENGTH + 1;
  while (!rebinding.isDone) {
    const again = rebinding.take(mix, head);
    // Those of the next second, and a few more.
    assert(again.size <= 4 + BLOCKS_AGAIN, `${again.size} blocks`);
    rebinding.done(again);
    seen.push(...[...again].map(placeOf));
  }
  assertEquals(seen.toSorted((a, b) => a - b), blocks.map((_, i) => i));
  assertEquals(seen.slice(0, 3), [50, 51, 52]);
  const far = seen.slice(3).map((place) => Math.abs(place - 50));
  assert(far.every((distance, i) => i === 0 || distance >= far[i - 1] - 1), `${far}`);
  assertEquals([...rebinding.take(mix, head)], []);
});

Deno.test("what is near is packed anew at once, however much else waits, and what changes again is packed again", () => {
  const rebinding = new Rebinding(RATE);
  for (let i = 200; i < 400; i++) rebinding.add(`a${i}`);
  rebinding.done(rebinding.take(mix, 0));
  rebinding.add("a1");
  assertEquals([...rebinding.take(mix, 0)].map(placeOf)[0], 0);
  rebinding.done([blocks[0]]);
  assertEquals(rebinding.isOld(blocks[0]), true);
  assertEquals(rebinding.isOld(blocks[1]), false);
  const later: number[] = [];
  while (!rebinding.isDone) {
    const again = rebinding.take(mix, 0);
    rebinding.done(again);
    later.push(...[...again].map(placeOf));
  }
  assert(!later.includes(0), `${later}`);
  rebinding.add("a1");
  rebinding.add("nowhere");
  const last = rebinding.take(mix, 0);
  assertEquals([...last].map(placeOf), [0]);
  // What is kept beside the mix is let go of with this publication, before the change is forgotten.
  assertEquals([rebinding.isDone, rebinding.isOld(blocks[0])], [false, true]);
  rebinding.done(last);
  assertEquals(rebinding.isDone, true);
});

Deno.test("a render that is there is heard at once where the head is, however many other sources wait", () => {
  const rebinding = new Rebinding(RATE);
  const stretched = mixOf([
    track("t", [
      clip("s", "s", 0, LENGTH, { rate: 1.5, speedMode: "maintainPitch" }),
      ...Array.from({ length: 399 }, (_, i) => clip(`c${i}`, `a${i}`, (i + 1) * LENGTH, LENGTH)),
    ]),
  ], 4);
  const [{ block: near }] = stretched.tracks[0].blocks;
  for (let i = 100; i < 399; i++) rebinding.add(`a${i}`);
  // The walk over all blocks begins with the nearest, of which no source has changed.
  const first = rebinding.take(stretched, 0);
  assert(first.size > 0 && !first.has(near));
  rebinding.done(first);
  rebinding.add(renderId("s", 1.5));
  assert(rebinding.take(stretched, 0).has(near));
});

Deno.test("a clip that lies too far off for its render is published, and is as silent as without one", async () => {
  await using rig = await openRig({ manualClock: true, singleStep: true });
  const rate = 1 / 16;
  const far = { rate, speedMode: "maintainPitch" as const };
  const mix = mixOf([
    track("t", [
      clip("ahead", "far", 0, LENGTH, { ...far, sourceFrame: 2 ** 51 }),
      clip("before", "far", LENGTH, LENGTH, { ...far, sourceFrame: -(2 ** 51) }),
      clip("near", "near", 2 * LENGTH, LENGTH),
    ]),
  ]);
  const noise = (seed: number) => ({
    planes: randomPlanes(seed, 1, LENGTH, "s16"),
    encoding: "s16" as const,
  });
  await rig.add("far", noise(1));
  await rig.add("near", noise(2));
  await rig.add(renderId("far", rate), noise(3));
  rig.signal.publish(mix, 1, []);
  rig.settle();
  rig.signal.play(0);
  const [left] = rig.render(3 * LENGTH);
  const expected = new Float32Array(3 * LENGTH);
  expected.set(rig.sources.get("near")![0], 2 * LENGTH);
  assertEquals(firstDifference(left, expected), -1);
});

Deno.test("a clip that was moved before its source opened sounds, whatever was shared with the block that it came from", async () => {
  await using rig = await openRig({ manualClock: true, singleStep: true });
  const material = (seed: number) => ({
    planes: randomPlanes(seed, 1, LENGTH, "s16"),
    encoding: "s16" as const,
  });
  const bodies = new Map();
  const clips = [clip("x", "x", 0, LENGTH), clip("y", "y", LENGTH, LENGTH)];
  rig.signal.publish(mixOf([track("t", clips)], 256, bodies), 1, []);
  await rig.add("x", material(1));
  await rig.add("y", material(2));
  // The edit comes before anything was packed anew: all but one clip of its block is as it was.
  const moved = [clips[0], { ...clips[1], startFrame: 2 * LENGTH }];
  rig.signal.publish(mixOf([track("t", moved)], 256, bodies), 2, []);
  rig.settle();
  rig.signal.play(0);
  rig.settle();
  const [left] = rig.render(3 * LENGTH);
  const expected = new Float32Array(3 * LENGTH);
  expected.set(rig.sources.get("x")![0], 0);
  expected.set(rig.sources.get("y")![0], 2 * LENGTH);
  // A sound that begins under the head fades in.
  assertEquals(firstDifference(left.subarray(2 * LENGTH), expected.subarray(2 * LENGTH)), -1);
  assert(left.subarray(0, LENGTH).some((x) => x !== 0));
});

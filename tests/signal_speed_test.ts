import { assert, assertEquals } from "@std/assert";
import { type ClipBody, sliceBody } from "../engine/pulse/clip_body.ts";
import { isSilent, soundingRate, sourcePath } from "../engine/signal/speed.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { prng } from "./support/prng.ts";
import { clip, firstDifference, mixOf, openRig, track } from "./support/signal_rig.ts";

const body = (more: Partial<ClipBody> = {}): ClipBody => ({
  clipId: "c",
  assetId: "a",
  lengthFrames: 1000,
  sourceFrame: 0,
  gainDb: 0,
  fadeInFrames: 0,
  fadeOutFrames: 0,
  rate: 1,
  speedMode: "matchSpeed",
  ...more,
});

Deno.test("the parts of a clip play to the last bit of a place what the whole played, at any rate and backwards", () => {
  const random = prng(7);
  for (let round = 0; round < 500; round++) {
    const whole = body({
      lengthFrames: 2 + random.int(10_000_000),
      sourceFrame: random.int(2 ** 28) / (random.chance(0.5) ? 1 : 48_000 / 44_100) - 1000,
      rate: random.pick([1, 1.5, 0.75, 1 / 3, 16, 1 / 16, Math.PI, 48_000 / 44_100]),
      ...(random.chance(0.5) && { reverse: true }),
    });
    const of = sourcePath(whole);
    const at = 1 + random.int(whole.lengthFrames - 1);
    const again = at + random.int(whole.lengthFrames - at);
    const left = sliceBody(whole, 0, at);
    const right = sliceBody(whole, at, whole.lengthFrames - at);
    for (
      const [part, begin] of [[left, 0], [right, at], [
        sliceBody(right, again - at, whole.lengthFrames - again),
        again,
      ]] as const
    ) {
      const { first, step } = sourcePath(part);
      assertEquals(step, of.step);
      for (const k of [0, part.lengthFrames >> 1, part.lengthFrames - 1]) {
        assertEquals(first + k * step, of.first + (begin + k) * of.step, `round ${round}`);
      }
    }
  }
});

Deno.test("a reversed clip plays the frames of the forward one from the last to the first", () => {
  const forward = sourcePath(body({ sourceFrame: 10.25, rate: 1.5, lengthFrames: 5 }));
  const backward = sourcePath(
    body({ sourceFrame: 10.25, rate: 1.5, lengthFrames: 5, reverse: true }),
  );
  assertEquals(forward, { first: 10.25, step: 1.5 });
  assertEquals(backward, { first: 16.25, step: -1.5 });
  assertEquals(sourcePath(body({ lengthFrames: 5, reverse: true })), { first: 4, step: -1 });
});

Deno.test("a clip that mutes at its rate is silent, and only there", () => {
  assert(isSilent({ rate: 1.5, speedMode: "mute" }));
  assert(!isSilent({ rate: 1, speedMode: "mute" }));
  assert(!isSilent({ rate: 1.5, speedMode: "matchSpeed" }));
  assertEquals(soundingRate(1 / 3) * 2 ** 24 % 1, 0);
});

Deno.test("a clip that mutes at its rate reads nothing, misses nothing and lets what is under it sound around its own", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  await rig.add("a", { planes: randomPlanes(1, 2, 40_000, "s16"), encoding: "s16" });
  await rig.add("b", { planes: randomPlanes(2, 1, 40_000, "s16"), encoding: "s16" });
  const silent = clip("c", "b", 4000, 4000, { rate: 2, speedMode: "mute" });
  const tracks = [track("t", [clip("u", "a", 0, 12_000), silent])];
  rig.signal.publish(mixOf(tracks), 1, []);
  rig.signal.play(0);
  rig.settle();
  const [left] = rig.render(12_000);
  const expected = rig.sources.get("a")![0].slice(0, 12_000).fill(0, 4000, 8000);
  assertEquals(firstDifference(left, expected), -1);
  const { missing, faded } = rig.signal.counters();
  assertEquals([missing, faded], [0, 0]);
  assertEquals(rig.signal.residentFrames("b", 0, 40_000), 0);
  assertEquals(rig.signal.drainEvents().filter(({ kind }) => kind === "gapBegin"), []);
});

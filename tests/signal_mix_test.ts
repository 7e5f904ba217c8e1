import { assertEquals } from "@std/assert";
import { randomPlanes, seededRandom } from "./support/audio_files.ts";
import { referenceMix } from "./support/reference_mix.ts";
import {
  clip,
  firstDifference,
  mixOf,
  openRig,
  type TestTrack,
  track,
} from "./support/signal_rig.ts";

/** Random clips: partial overlaps, nested ones, equal starts, gaps, fades of both shapes. */
function randomTracks(random: () => number): TestTrack[] {
  const whole = (n: number) => Math.floor(random() * n);
  const shapes = ["linear", "equalPower"] as const;
  let id = 0;
  return Array.from({ length: 4 }, (_, t) => {
    const clips = Array.from({ length: 12 }, () => {
      const length = 1 + whole(9000);
      return clip(`c${id++}`, ["mono", "stereo", "float"][whole(3)], whole(40) * 900, length, {
        sourceFrame: whole(40_000) - 2000,
        gainDb: random() < 0.1 ? null : random() * 12 - 9,
        fadeInFrames: random() < 0.5 ? whole(length / 2) : 0,
        fadeOutFrames: random() < 0.5 ? whole(length / 2) : 0,
        fadeInShape: shapes[whole(2)],
        fadeOutShape: shapes[whole(2)],
      });
    }).sort((a, b) => a.startFrame - b.startFrame);
    return track(`t${t}`, clips, {
      gainDb: random() * 6 - 6,
      pan: random() < 0.3 ? 0 : random() * 2 - 1,
      mute: random() < 0.15,
      solo: random() < 0.1,
    });
  });
}

Deno.test("a mix of overlapping, nested and fading clips equals the reference bit for bit", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  await rig.add("mono", { planes: randomPlanes(1, 1, 40_000, "s16"), encoding: "s16" });
  await rig.add("stereo", { planes: randomPlanes(2, 2, 40_000, "s24"), encoding: "s24" });
  await rig.add("float", { planes: randomPlanes(3, 2, 40_000, "f32"), encoding: "f32" });
  const random = seededRandom(99);
  for (let round = 0; round < 12; round++) {
    const tracks = randomTracks(random);
    rig.signal.stop();
    rig.render(2048); // lets the fade of the stop end
    rig.signal.publish(mixOf(tracks, 1 + Math.floor(random() * 6)), round + 1, []);
    rig.signal.play(0);
    rig.settle();
    let position = 0;
    while (position < 46_000) {
      const frames = 1 + Math.floor(random() * 2000);
      rig.settle();
      const [left, right] = rig.render(frames);
      const [l, r] = referenceMix(tracks, rig.sources, position, frames);
      const where = `round ${round}, frames from ${position}`;
      assertEquals(firstDifference(left, l), -1, `left, ${where}`);
      assertEquals(firstDifference(right, r), -1, `right, ${where}`);
      position += frames;
    }
  }
  const { missing, faded } = rig.signal.counters();
  assertEquals([missing, faded], [0, 0]);
});

Deno.test("blocks of a loop shorter than a period wrap to the sample", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  await rig.add("a", { planes: randomPlanes(5, 2, 30_000, "s16"), encoding: "s16" });
  const tracks = [track("t", [clip("c", "a", 0, 30_000)])];
  rig.signal.publish(mixOf(tracks), 1, []);
  rig.signal.setLoop({ enabled: true, startFrame: 1000, endFrame: 1037 });
  rig.signal.play(900);
  rig.settle();
  const [left] = rig.render(1024);
  const expected = new Float32Array(1024);
  const source = rig.sources.get("a")![0];
  let at = 900;
  for (let i = 0; i < 1024; i++) {
    expected[i] = source[at];
    if (++at === 1037) at = 1000;
  }
  assertEquals(firstDifference(left, expected), -1);
  assertEquals(rig.signal.position().positionFrame, at);
});

Deno.test("playing to a frame ends there with an event and silence", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  await rig.add("a", { planes: randomPlanes(6, 1, 30_000, "s16"), encoding: "s16" });
  rig.signal.publish(mixOf([track("t", [clip("c", "a", 0, 30_000)])]), 1, []);
  rig.signal.play(100, 1000);
  rig.settle();
  const [left] = rig.render(2000);
  assertEquals(firstDifference(left.slice(0, 900), rig.sources.get("a")![0].slice(100, 1000)), -1);
  assertEquals(left.slice(900).every((x) => x === 0), true);
  assertEquals(rig.signal.position().positionFrame, 1000);
  assertEquals(rig.signal.position().state, "paused");
  assertEquals(rig.signal.drainEvents().filter((e) => e.kind === "end").length, 1);
});

Deno.test("a muted track is silent and a gain changes by a ramp, without a crossfade", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  const ones = { planes: [new Float64Array(96_000).fill(0.5)], encoding: "f32" as const };
  await rig.add("a", ones);
  const bodies = new Map();
  const mix = mixOf([track("t", [clip("c", "a", 0, 96_000)])], 256, bodies);
  rig.signal.publish(mix, 1, []);
  rig.signal.play(0);
  rig.settle();
  rig.render(1024);
  const muted = { tracks: [{ ...mix.tracks[0], mute: true }] };
  rig.signal.publish(muted, 2, []);
  rig.settle();
  const [left] = rig.render(2048);
  const jump = left.reduce((most, x, i) => i ? Math.max(most, Math.abs(x - left[i - 1])) : most, 0);
  assertEquals(jump < 0.5 / 720 + 1e-6, true, `largest step ${jump}`);
  assertEquals(left[0] > 0.49, true);
  assertEquals(left.slice(720).every((x) => x === 0), true);
  assertEquals(rig.signal.counters().crossfades, 0);
});

Deno.test("a thousand clips of a few frames each sound, all of them", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  await rig.add("a", { planes: randomPlanes(7, 2, 4000, "s16"), encoding: "s16" });
  // Up to a hundred start within one rendered block, some on others.
  const clips = Array.from(
    { length: 1000 },
    (_, i) => clip(`c${i}`, "a", i * 5, i % 3 ? 4 : 9, { sourceFrame: (i * 37) % 3000 }),
  );
  const tracks = [track("t", clips)];
  rig.signal.publish(mixOf(tracks), 1, []);
  rig.signal.play(0);
  rig.settle();
  const [left] = rig.render(5000);
  assertEquals(firstDifference(left, referenceMix(tracks, rig.sources, 0, 5000)[0]), -1);
  assertEquals(rig.signal.counters().missing, 0);
});

Deno.test("NaN and infinity of a file sound as silence and spoil nothing beside them", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  const plane = new Float64Array(2000).fill(0.25);
  [plane[10], plane[11], plane[12]] = [NaN, Infinity, -Infinity];
  await rig.add("a", { planes: [plane], encoding: "f32" });
  rig.signal.publish(mixOf([track("t", [clip("c", "a", 0, 2000)])]), 1, []);
  rig.signal.play(0);
  rig.settle();
  const [left] = rig.render(2000);
  const expected = new Float32Array(2000).fill(0.25);
  expected.fill(0, 10, 13);
  assertEquals(firstDifference(left, expected), -1);
});

import { assert, assertEquals } from "@std/assert";
import { randomPlanes } from "./support/audio_files.ts";
import type { SignalOptions } from "../engine/signal/signal.ts";
import {
  clip,
  firstDifference,
  mixOf,
  openRig,
  type Rig,
  type TestTrack,
  track,
  unzip,
} from "./support/signal_rig.ts";

const RATE = 48_000;
const TRACKS = 24;
const SECONDS = 90;
/** Frames between the parts of the file that two tracks play: no page serves both. */
const APART = 2 * RATE;
const BLOCKED_MS = 30_000;
/** A block that is interrupted in a tenth of all runs is interrupted in each of so many once in 10^20 times. */
const MOST_RUNS = 20;

const PERIOD = 256;
const LOOP = { startFrame: 5 * RATE + 1, endFrame: 17 * RATE + 9 };
const SEEK_TO = 9 * RATE + 77;
/** Playback before the seek, and after it. */
const BEFORE_MS = 400;

/** The session of both tests: 24 voices of one file, each from a part of its own, in a loop. */
async function arrange(
  options: Partial<SignalOptions> = {},
): Promise<{ rig: Rig; tracks: TestTrack[] }> {
  // 24 float stereo voices play 563 units a second; 16 MB hold 976: some 300 ms behind the head and about a second ahead.
  const rig = await openRig({ memoryBytes: 16e6, ...options });
  await rig.add("a", {
    planes: randomPlanes(77, 2, SECONDS * RATE, "f32").map((plane) => plane.map((x) => x / 64)),
    encoding: "f32",
  });
  const tracks = Array.from(
    { length: TRACKS },
    (_, i) =>
      track(`t${i}`, [
        clip(`c${i}`, "a", 0, 40 * RATE, { sourceFrame: i * APART, gainDb: -(i % 7) }),
      ]),
  );
  rig.signal.publish(mixOf(tracks), 1, []);
  rig.signal.setLoop({ enabled: true, ...LOOP });
  return { rig, tracks };
}

Deno.test("30 seconds without JavaScript, over a seek and two loop wraps, miss no frame", async () => {
  const { rig, tracks } = await arrange();
  await using _ = rig;
  const { signal } = rig;
  const { symbols, engine, renderer } = signal.native;
  await signal.openDevice({ backend: "null", period: PERIOD });

  const captured = new Float32Array(36 * RATE * 2);
  captured.fill(0); // so that the pages of memory are there before the callback writes to them
  assertEquals(symbols.lp_tap_start(renderer, captured, captured.length / 2), 0);
  // The follower fetches what stands at the head before anyone plays: once it is there, play and the block begin.
  while (tracks.some((_, i) => symbols.lp_source_resident(engine, 1, i * APART, 24_000) < 24_000)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  signal.play(0);
  await new Promise((resolve) => setTimeout(resolve, BEFORE_MS));
  const { horizonMs } = signal.counters();
  signal.seek(SEEK_TO);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS);

  const written = new Float64Array(1);
  const counters = signal.counters();
  await symbols.lp_tap_stop(renderer, written);
  await signal.closeDevice();
  assert(horizonMs > 500 && horizonMs < 2500, `the horizon held was ${horizonMs} ms`);
  assert(written[0] > 30 * RATE, `${written[0]} frames were captured`);
  const wraps = signal.drainEvents().filter((e) => e.kind === "wrap");
  assertEquals(wraps.length, 2);
  assertEquals(wraps.map((e) => e.to), [LOOP.startFrame, LOOP.startFrame]);

  // What should have sounded, computed apart from the engine: from frame 0, then from the seek on, round the loop.
  const source = rig.sources.get("a")!;
  const gains = tracks.map((t) => Math.fround(10 ** (t.clips[0].gainDb! / 20)));
  const expected = (side: number, frame: number) => {
    let sum = 0;
    for (let i = 0; i < TRACKS; i++) {
      sum = Math.fround(sum + Math.fround(source[side][i * APART + frame] * gains[i]));
    }
    return sum;
  };
  const [left, right] = unzip(captured.subarray(0, written[0] * 2));
  const begin = left.findIndex((x) => x !== 0);
  const probe = Float32Array.from({ length: 16 }, (_, i) => expected(0, SEEK_TO + 720 + i));
  const sought = left.findIndex((_, i) => probe.every((x, k) => left[i + k] === x));
  assert(sought > begin, "the seek's target was not found in what was captured");
  const check = (from: number, frames: number, first: number) => {
    let frame = first;
    const l = new Float32Array(frames);
    const r = new Float32Array(frames);
    for (let i = 0; i < frames; i++) {
      l[i] = expected(0, frame);
      r[i] = expected(1, frame);
      if (++frame === LOOP.endFrame) frame = LOOP.startFrame;
    }
    assertEquals(firstDifference(left.slice(from, from + frames), l), -1, `left from ${from}`);
    assertEquals(firstDifference(right.slice(from, from + frames), r), -1, `right from ${from}`);
  };
  check(begin, sought - 720 - begin, 0);
  check(sought, written[0] - sought, SEEK_TO + 720);
  assertEquals([counters.missing, counters.faded], [0, 0]);
  // The machine's interruptions make a callback late now and then; the engine itself, if it were too slow, would do so again and again.
  // What its work takes is measured below, where the two can be told apart.
  assert(
    counters.lateCallbacks < counters.callbacks / 10,
    `${counters.lateCallbacks} of ${counters.callbacks} callbacks were late, the longest took ${counters.longestCallbackNs} ns`,
  );
});

Deno.test("no callback of these 30 seconds has more work than its period has time", async () => {
  // The same session block by block. What interrupts the machine hits other blocks in another run; what the engine itself does slowly
  // (a wrap, the border of a page, a swap) it does slowly in each. So a block's least time is its work's.
  const blocks = Math.ceil((BEFORE_MS + BLOCKED_MS) / 1000 * RATE / PERIOD);
  const seekAt = Math.ceil(BEFORE_MS / 1000 * RATE / PERIOD);
  const least = new Float64Array(blocks).fill(Infinity);
  const period = PERIOD / RATE * 1e9;
  for (let runs = 0; runs < MOST_RUNS && least.some((ns) => ns >= period); runs++) {
    const { rig } = await arrange({ singleStep: true, manualClock: true });
    await using _ = rig;
    const { signal } = rig;
    const { symbols, engine, renderer } = signal.native;
    const counted = new Float64Array(32);
    const out = new Float32Array(PERIOD * 2);
    const workNs = () => {
      symbols.lp_counters(renderer, counted, counted.length);
      return counted[22];
    };
    rig.settle();
    signal.play(0);
    rig.settle();
    for (let i = 0, before = workNs(); i < blocks; i++) {
      if (i === seekAt) {
        signal.seek(SEEK_TO);
        rig.settle();
      }
      assertEquals(symbols.lp_render(renderer, out, PERIOD), 0);
      const now = workNs();
      least[i] = Math.min(least[i], now - before);
      before = now;
      symbols.lp_step_follow(engine);
      while (symbols.lp_step_fill(engine) > 0);
    }
    const { missing, faded } = signal.counters();
    assertEquals([missing, faded], [0, 0]);
    assertEquals(signal.drainEvents().filter((e) => e.kind === "wrap").length, 2);
  }
  const slow = [...least.entries()].filter(([, ns]) => ns >= period);
  assertEquals(slow, [], `blocks and their ns that took a period or longer in ${MOST_RUNS} runs`);
});

import { assert, assertEquals } from "@std/assert";
import { randomPlanes } from "./support/audio_files.ts";
import { clip, firstDifference, mixOf, openRig, track, unzip } from "./support/signal_rig.ts";

const RATE = 48_000;
const TRACKS = 24;
const SECONDS = 90;
/** Frames between the parts of the file that two tracks play: no page serves both. */
const APART = 2 * RATE;
const BLOCKED_MS = 30_000;

/**
 * Nanoseconds that the system has let the device's thread wait for a processor, though it could have run. It is the one thread with
 * real-time scheduling; where the system grants none, nothing is known and nothing is excused.
 */
function waitedNs(): number {
  const script = 'for t in /proc/$1/task/*; do echo "$(cat $t/stat)|$(cat $t/schedstat)"; done';
  const { stdout } = new Deno.Command("sh", { args: ["-c", script, "sh", `${Deno.pid}`] })
    .outputSync();
  let waited = 0;
  for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
    const [stat, schedstat = ""] = line.split("|");
    const policy = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[38]); // field 41
    if (policy === 1) waited += Number(schedstat.split(" ")[1]);
  }
  return waited;
}

Deno.test("30 seconds without JavaScript, over a seek and two loop wraps, miss no frame", async () => {
  // 24 float stereo voices play 563 units a second; 16 MB hold 976: some 300 ms behind the head and about a second ahead.
  await using rig = await openRig({ memoryBytes: 16e6 });
  const { signal } = rig;
  const { symbols, engine, renderer } = signal.native;
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
  signal.publish(mixOf(tracks), 1, []);
  const loop = { startFrame: 5 * RATE + 1, endFrame: 17 * RATE + 9 };
  signal.setLoop({ enabled: true, ...loop });
  await signal.openDevice({ backend: "null", period: 256 });

  const captured = new Float32Array(36 * RATE * 2);
  captured.fill(0); // so that the pages of memory are there before the callback writes to them
  assertEquals(symbols.lp_tap_start(renderer, captured, captured.length / 2), 0);
  // The follower fetches what stands at the head before anyone plays: once it is there, play and the block begin.
  while (tracks.some((_, i) => symbols.lp_source_resident(engine, 1, i * APART, 24_000) < 24_000)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  signal.play(0);
  await new Promise((resolve) => setTimeout(resolve, 400));
  const { horizonMs } = signal.counters();
  const seekTo = 9 * RATE + 77;
  signal.seek(seekTo);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_MS);

  const written = new Float64Array(1);
  const waited = waitedNs();
  const counters = signal.counters();
  await symbols.lp_tap_stop(renderer, written);
  await signal.closeDevice();
  assert(horizonMs > 500 && horizonMs < 2500, `the horizon held was ${horizonMs} ms`);
  assert(written[0] > 30 * RATE, `${written[0]} frames were captured`);
  const wraps = signal.drainEvents().filter((e) => e.kind === "wrap");
  assertEquals(wraps.length, 2);
  assertEquals(wraps.map((e) => e.to), [loop.startFrame, loop.startFrame]);

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
  const probe = Float32Array.from({ length: 16 }, (_, i) => expected(0, seekTo + 720 + i));
  const sought = left.findIndex((_, i) => probe.every((x, k) => left[i + k] === x));
  assert(sought > begin, "the seek's target was not found in what was captured");
  const check = (from: number, frames: number, first: number) => {
    let frame = first;
    const l = new Float32Array(frames);
    const r = new Float32Array(frames);
    for (let i = 0; i < frames; i++) {
      l[i] = expected(0, frame);
      r[i] = expected(1, frame);
      if (++frame === loop.endFrame) frame = loop.startFrame;
    }
    assertEquals(firstDifference(left.slice(from, from + frames), l), -1, `left from ${from}`);
    assertEquals(firstDifference(right.slice(from, from + frames), r), -1, `right from ${from}`);
  };
  check(begin, sought - 720 - begin, 0);
  check(sought, written[0] - sought, seekTo + 720);
  assertEquals([counters.missing, counters.faded], [0, 0]);
  // No callback took longer than its period, by its own work: what the system made its thread wait does not count.
  const period = 256 / RATE * 1e9;
  assert(
    counters.lateCallbacks === 0 || counters.longestCallbackNs - waited < period,
    `${counters.lateCallbacks} late, the longest ${counters.longestCallbackNs} ns, ${waited} ns of waiting`,
  );
});

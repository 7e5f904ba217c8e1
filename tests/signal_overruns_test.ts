import { assert, assertEquals } from "@std/assert";
import { randomPlanes } from "./support/audio_files.ts";
import { signalDiagnostics } from "./support/signal_diagnostics.ts";
import { clip, mixOf, openRig, track } from "./support/signal_rig.ts";

const ME = { clientId: "me" };
const VOICES = 1_000;
/** A period of one frame is 2.6 µs: so many voices cannot be mixed in that time, on no machine. */
const RATE = 384_000;
const BLOCKS = 150;

Deno.test("callbacks longer than their period are told with their times, the latest of many", async () => {
  await using rig = await openRig({
    singleStep: true,
    manualClock: true,
    memoryBytes: 128e6,
    sampleRate: RATE,
  });
  await rig.add("a", {
    sampleRate: RATE,
    planes: randomPlanes(1, 2, 9_000, "s16"),
    encoding: "s16",
  });
  const { signal } = rig;
  const { diagnostics } = signalDiagnostics(signal);
  const voices = (n: number) =>
    Array.from({ length: n }, (_, i) => track(`t${i}`, [clip(`c${i}`, "a", 0, 9_000)]));
  signal.publish(mixOf(voices(VOICES)), 1, []);
  signal.play(0);
  rig.settle();
  for (let i = 0; i < BLOCKS; i++) {
    rig.render(1);
    diagnostics.look();
  }
  const { overruns, histograms, counters } = diagnostics.get(ME);
  assertEquals(counters.lateCallbacks, BLOCKS);
  assertEquals([counters.voiceHits, counters.voiceMisses], [VOICES * BLOCKS, 0]);
  assertEquals(overruns.total, BLOCKS);
  assertEquals(overruns.overruns.length, 100);
  assertEquals(overruns.overruns.map(({ overrunId }) => overrunId), [
    ...Array.from({ length: 100 }, (_, i) => BLOCKS - 99 + i),
  ]);
  let before = 0;
  for (const { timeMs, durationMs, periodMs } of overruns.overruns) {
    assert(Math.abs(periodMs - 1_000 / RATE) < 1e-5, `a period of ${periodMs} ms`);
    assert(durationMs > periodMs && timeMs > before);
    before = timeMs;
  }
  const { callback, callbackShare } = histograms;
  assertEquals([callback.count, callbackShare.count], [BLOCKS, BLOCKS]);
  assert(callbackShare.p50! > 1 && callbackShare.max! >= callbackShare.p50!);
  assert(Math.abs(callback.sum - counters.callbackNs / 1e6) < 1e-6, "the same time, told twice");
  assert(Math.max(...overruns.overruns.map(({ durationMs }) => durationMs)) <= callback.max!);
});

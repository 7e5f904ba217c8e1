import { assertEquals } from "@std/assert";
import {
  type CadenceSample,
  judgeCadence,
  longerPeriod,
  LONGEST_PERIOD,
  recentSamples,
  standsStill,
  STRETCH_MS,
  STRETCHES,
} from "../engine/pulse/services/device_cadence.ts";

const PACE = { sampleRate: 48_000, periodFrames: 256 };

/** Samples twice a second; `speedAt` says how fast the device runs at a time, as a part of its rate. */
function watch(seconds: number, speedAt: (second: number) => number): CadenceSample[] {
  const samples: CadenceSample[] = [];
  let given = 0;
  for (let ms = 0; ms <= seconds * 1_000; ms += 500) {
    // Whole periods, as callbacks ask for them.
    samples.push({ timeMs: ms, givenFrames: Math.floor(given / 256) * 256 });
    given += 24_000 * speedAt(ms / 1_000);
  }
  return samples;
}

Deno.test("a device that runs at its rate holds its period, within what clocks and callbacks are off by", () => {
  for (const speed of [1, 0.9995, 1.0005, 0.985]) {
    assertEquals(judgeCadence(watch(10, () => speed), PACE).verdict, "held", `${speed}`);
  }
  const { framesPerSecond } = judgeCadence(watch(10, () => 1), PACE);
  assertEquals(Math.abs(framesPerSecond! - 48_000) <= 256, true);
});

Deno.test("a device at half speed does not, but only after three stretches of it", () => {
  const samples = watch(30, () => 0.5);
  const verdicts = samples.map((_, i) => judgeCadence(samples.slice(0, i + 1), PACE).verdict);
  const first = verdicts.indexOf("slow");
  assertEquals(samples[first].timeMs, STRETCHES * STRETCH_MS);
  assertEquals(new Set(verdicts.slice(0, first)), new Set(["unknown"]));
  assertEquals(new Set(verdicts.slice(first)), new Set(["slow"]));
});

Deno.test("one hiccup of a busy machine changes nothing, however long, and neither do single ones now and then", () => {
  const once = watch(20, (second) => second >= 8 && second < 10 ? 0.2 : 1);
  const often = watch(60, (second) => second % 5 === 0 ? 0 : 1);
  for (const samples of [once, often]) {
    for (let n = 1; n <= samples.length; n++) {
      assertEquals(judgeCadence(samples.slice(0, n), PACE).verdict === "slow", false, `${n}`);
    }
  }
});

Deno.test("a device that stands still is not slow: a longer period would not help it", () => {
  const samples = watch(10, (second) => second < 3 ? 0 : 1);
  assertEquals(judgeCadence(watch(10, () => 0), PACE), { verdict: "unknown", framesPerSecond: 0 });
  assertEquals(judgeCadence(samples, PACE).verdict, "held");
  assertEquals(standsStill(4_000, 0, PACE), false);
  assertEquals(standsStill(5_200, 0, PACE), true);
  assertEquals(standsStill(11_000, 0, { sampleRate: 48_000, periodFrames: 16_384 }), false);
});

Deno.test("verdicts are the same when only recent samples are kept, and however late they are taken", () => {
  const slowSince = (second: number) => second < 20 ? 1 : 0.6;
  const samples = watch(40, slowSince);
  let kept: CadenceSample[] = [];
  for (let i = 0; i < samples.length; i++) {
    kept = recentSamples([...kept, samples[i]]);
    assertEquals(
      judgeCadence(kept, PACE).verdict,
      judgeCadence(samples.slice(0, i + 1), PACE).verdict,
    );
    assertEquals(kept.length <= 4 * STRETCHES + 1, true);
  }
  const sparse = samples.filter((_, i) => i % 9 === 0);
  assertEquals(judgeCadence(sparse, PACE).verdict, "slow");
});

Deno.test("a period is doubled up to a limit", () => {
  assertEquals(longerPeriod(128), 256);
  assertEquals(longerPeriod(LONGEST_PERIOD / 2), LONGEST_PERIOD);
  assertEquals(longerPeriod(LONGEST_PERIOD), null);
});

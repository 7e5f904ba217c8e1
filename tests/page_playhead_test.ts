import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import type { Transport } from "../engine/pulse/types.ts";
import { Playhead } from "../server/web/client/playhead.js";
import { prng } from "./support/prng.ts";

const OFFSET_MS = 12_345.6;

/** A transport that plays: the renderer is a device's latency ahead of what is heard, unless that is said too. */
function transport(set: Partial<Transport> = {}): Transport {
  return {
    state: "playing",
    positionFrame: (set.audibleFrame ?? 0) + 480,
    audibleFrame: 0,
    timeMs: OFFSET_MS,
    revision: 1,
    loop: { enabled: false, startFrame: 0, endFrame: 0 },
    rate: 1,
    deviceLatencyFrames: 480,
    ...set,
  };
}

function playhead(set: Partial<Transport> = {}) {
  const head = new Playhead();
  head.setSampleRate(48_000);
  head.setClockOffset(OFFSET_MS);
  head.setTransport(transport(set));
  return head;
}

/** A report that is true at our time `atMs`, for a head that began at 0. */
function report(atMs: number, frame = atMs * 48) {
  return {
    positionFrame: frame + 480,
    audibleFrame: frame,
    timeMs: atMs + OFFSET_MS,
    rate: 1,
    revision: 1,
  };
}

Deno.test("Playhead.at() runs between reports at the transport's rate", () => {
  const head = playhead();
  head.report(report(100), 103);
  assertAlmostEquals(head.at(120), 120 * 48, 1e-6);
  assertEquals(head.moving, true);
});

Deno.test("Playhead.at() stands still when nothing plays, where playing would begin", () => {
  const head = playhead({ state: "paused", positionFrame: 4_800, audibleFrame: 4_320 });
  assertEquals(head.at(10), 4_800);
  assertEquals(head.at(1_000), 4_800);
  assertEquals(head.moving, false);
});

Deno.test("Playhead.at() moves smoothly and close to the truth through reports that jitter by 5 ms", () => {
  const random = prng(3);
  const head = playhead();
  let last = head.at(0);
  let nextReport = 33;
  for (let now = 0; now < 5_000; now += 1000 / 60) {
    if (now >= nextReport) {
      const jitter = (random.next() - 0.5) * 2 * 5 * 48;
      head.report(report(nextReport, nextReport * 48 + jitter), now);
      nextReport += 33;
    }
    const frame = head.at(now);
    assert(frame >= last, `went back by ${last - frame} at ${now}`);
    // A sixtieth of a second is 800 frames.
    assertLess(Math.abs(frame - last - 800), 300 + (now === 0 ? 800 : 0));
    assertLess(Math.abs(frame - now * 48), 6 * 48);
    last = frame;
  }
});

Deno.test("Playhead.at() follows a loop wrap before the report of it comes", () => {
  const loop = { enabled: true, startFrame: 48_000, endFrame: 52_800 };
  const head = playhead({ audibleFrame: 52_320, loop });
  assertAlmostEquals(head.at(9), 52_320 + 9 * 48, 1e-6);
  assertAlmostEquals(head.at(15), 48_000 + 5 * 48, 1e-6);
  // Past the loop, a head never meets its end.
  const beyond = playhead({ audibleFrame: 60_000, loop });
  assertAlmostEquals(beyond.at(10), 60_480, 1e-6);
});

Deno.test("Playhead.at() jumps where reports say so and waits when they stop", () => {
  const head = playhead();
  head.report(report(333), 334);
  head.report(report(366, 480_000), 367);
  assertAlmostEquals(head.at(367), 480_000 + 48, 1e-6);
  const waiting = head.at(2_300);
  assertEquals(head.at(9_000), waiting);
  assertLess(waiting, 480_000 + 400 * 48);
});

Deno.test("a seek shows at once, though the device still plays what was before", () => {
  const head = playhead();
  head.report(report(500), 501);
  head.setTransport(
    transport({ audibleFrame: 480_000, positionFrame: 480_000, timeMs: 510 + OFFSET_MS }),
  );
  assertAlmostEquals(head.at(510), 480_000, 1e-6);
  // 10 ms of latency: for that long the sound of before leaves the device, and the head stands where it will be heard.
  head.report(report(515), 516);
  assertAlmostEquals(head.at(516), 480_000, 1e-6);
  assertAlmostEquals(head.at(530), 480_000 + 10 * 48, 1e-6);
  head.report(report(548, 480_000 + 28 * 48), 549);
  assertAlmostEquals(head.at(549), 480_000 + 29 * 48, 1e-6);
  // An engine that does not go there is believed after all.
  head.report(report(700), 701);
  assertAlmostEquals(head.at(701), 701 * 48, 1e-6);
});

Deno.test("reports on the two sides of a loop's wrap disagree by the way around it", () => {
  const loop = { enabled: true, startFrame: 48_000, endFrame: 52_800 };
  const head = playhead({ audibleFrame: 52_320, loop });
  // Shown: 4 ms behind the wrap. Told: 2 ms before it.
  assertAlmostEquals(head.at(14), 48_000 + 4 * 48, 1e-6);
  head.report(report(14, 52_800 - 2 * 48), 14);
  assertAlmostEquals(head.at(14), 48_000 + 4 * 48, 1e-6);
  let last = head.at(14);
  for (let now = 15; now < 60; now++) {
    const frame = head.at(now);
    assert(frame > last, `went back from ${last} to ${frame} at ${now}`);
    last = frame;
  }
  assertLess(Math.abs(head.at(90) - (48_000 + 74 * 48)), 4 * 48);
  // And the other way: shown before the wrap, told behind it.
  const late = playhead({ audibleFrame: 52_320, loop });
  late.report(report(8, 48_000 + 48), 8);
  assertAlmostEquals(late.at(8), 52_320 + 8 * 48, 1e-6);
  assertAlmostEquals(late.at(10.5), 48_000 + 48 + 120 - 144 * Math.exp(-2.5 / 120), 1e-6);
});

Deno.test("a head that starts before a short loop comes in and wraps at its end", () => {
  const loop = { enabled: true, startFrame: 4_800, endFrame: 9_600 };
  const head = playhead({ audibleFrame: 0, loop });
  assertAlmostEquals(head.at(50), 2_400, 1e-6);
  assertAlmostEquals(head.at(150), 7_200, 1e-6);
  assertAlmostEquals(head.at(250), 7_200, 1e-6);
});

Deno.test("at another rate the head runs at that rate, and its reports say so", () => {
  const head = playhead({ rate: 2 });
  assertAlmostEquals(head.at(50), 50 * 96, 1e-6);
  head.report({ ...report(60, 60 * 96), rate: 0.5 }, 60);
  assertAlmostEquals(head.at(160), 60 * 96 + 100 * 24, 1e-6);
});

Deno.test("a ripple moves the playhead at once; reports of the timeline before it are passed over", () => {
  const head = playhead();
  head.report(report(1_000), 1_001);
  // A second was deleted before the head: revision 2.
  head.awaitRevision(2, 1_002);
  head.move(2 * 480, 1_003);
  assertAlmostEquals(head.at(1_003), 960, 1e-6);
  head.report(report(1_010), 1_011);
  assertAlmostEquals(head.at(1_011), 960 + 8 * 48, 1e-6);
  head.report({ ...report(1_040, 960 + 37 * 48), revision: 2 }, 1_041);
  assertLess(Math.abs(head.at(1_041) - (960 + 38 * 48)), 100);
  // An engine that never says so is believed after all.
  head.awaitRevision(9, 2_000);
  head.report(report(2_300), 2_301);
  assertAlmostEquals(head.at(2_301), 2_301 * 48, 100);
});

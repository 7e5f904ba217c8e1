import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import type { Transport } from "../engine/pulse/types.ts";
import { Playhead } from "../server/web/client/playhead.js";
import { prng } from "./support/prng.ts";

const OFFSET_MS = 12_345.6;

function transport(set: Partial<Transport> = {}): Transport {
  return {
    state: "playing",
    positionFrame: 0,
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

Deno.test("Playhead.at() jumps with a seek and waits when reports stop", () => {
  const head = playhead();
  head.report(report(33), 34);
  head.report(report(66, 480_000), 67);
  assertAlmostEquals(head.at(67), 480_000 + 48, 1e-6);
  const waiting = head.at(2_000);
  assertEquals(head.at(9_000), waiting);
  assertLess(waiting, 480_000 + 400 * 48);
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

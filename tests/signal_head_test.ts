import { assertEquals } from "@std/assert";
import { runStep } from "../engine/pulse/services/head.ts";
import { type HeadMapStep, mapEnd, mapFrame } from "../engine/signal/model.ts";
import { seededRandom } from "./support/audio_files.ts";
import { mixOf, openRig } from "./support/signal_rig.ts";

Deno.test("the head equals the composed map of 10,000 random edits of which the callback takes every k-th", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  const random = seededRandom(2026);
  const whole = (n: number) => Math.floor(random() * n);
  const { signal } = rig;
  const mix = mixOf([]);
  const base = 2 ** 33; // positions beyond 32 bits
  let head = base;
  let loop = { enabled: true, startFrame: base + 10_000_000, endFrame: base + 90_000_000 };
  signal.setLoop(loop);
  signal.play(head);
  rig.render(512);
  head += 512;
  let waiting: HeadMapStep[] = [];
  let displaced = 0;
  for (let edits = 0; edits < 10_000;) {
    const burst = 1 + whole(40);
    for (let i = 0; i < burst; i++, edits++) {
      const near = head + whole(20_000) - 10_000;
      const at = random() < 0.7 ? near : base + whole(1000);
      const steps: HeadMapStep[] = [
        random() < 0.5
          ? { at, remove: 1 + whole(5000), insert: 0 }
          : { at, remove: 0, insert: 1 + whole(5000) },
      ];
      signal.publish(mix, edits + 1, steps);
      waiting.push(...steps);
    }
    displaced += burst - 1;
    // Longer than a fade, so that the next mailbox is looked at: the callback takes the newest of the burst alone.
    const frames = 800 + whole(1200);
    rig.render(frames);
    head = mapFrame(waiting, head);
    loop = {
      enabled: loop.enabled,
      startFrame: mapFrame(waiting, loop.startFrame),
      endFrame: mapEnd(waiting, loop.endFrame),
    };
    waiting = [];
    head += frames;
    const position = signal.position();
    assertEquals(position.positionFrame, head, `after ${edits} edits`);
    assertEquals(position.loop, loop);
    signal.drainEvents();
  }
  assertEquals(signal.counters().publicationsDisplaced, displaced);
});

Deno.test("an edit that leaves the loop shorter than a frame switches it off with an event", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  rig.signal.setLoop({ enabled: true, startFrame: 1000, endFrame: 2000 });
  rig.signal.play(0);
  rig.render(64);
  rig.signal.publish(mixOf([]), 1, [{ at: 500, remove: 4000, insert: 0 }]);
  rig.render(64);
  assertEquals(rig.signal.position().loop.enabled, false);
  assertEquals(rig.signal.drainEvents().filter((e) => e.kind === "loopOff").length, 1);
});

Deno.test("stop returns to where play began, through the edits made meanwhile", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  rig.signal.play(10_000);
  rig.render(2000);
  rig.signal.publish(mixOf([]), 1, [{ at: 0, remove: 500, insert: 0 }]);
  rig.render(2000);
  rig.signal.stop();
  rig.render(2000);
  assertEquals(rig.signal.position().positionFrame, 9500);
  assertEquals(rig.signal.position().state, "stopped");
});

Deno.test("requests take effect in the order made, also when none was heard before the last", async () => {
  await using rig = await openRig({ singleStep: true, manualClock: true });
  const { signal } = rig;
  signal.play(0);
  rig.render(64);
  signal.seek(50_000);
  signal.publish(mixOf([]), 1, [{ at: 40_000, remove: 5000, insert: 0 }]);
  signal.seek(60_000);
  signal.publish(mixOf([]), 2, [{ at: 10_000, remove: 0, insert: 7 }]);
  rig.render(1);
  assertEquals(signal.position().positionFrame, 60_008);
});

Deno.test("what is put in at a loop's end, or where play is to end, lies behind it: the renderer and its twin in Pulse say the same", async () => {
  const maps: HeadMapStep[][] = [
    [{ at: 2_000, remove: 0, insert: 300 }],
    [{ at: 1_999, remove: 0, insert: 300 }],
    [{ at: 1_000, remove: 0, insert: 300 }],
    [{ at: 2_000, remove: 400, insert: 0 }],
    // A deletion behind the loop and its undo: the loop is as it was.
    [{ at: 2_000, remove: 400, insert: 0 }, { at: 2_000, remove: 0, insert: 400 }],
    [{ at: 1_500, remove: 500, insert: 0 }],
    [{ at: 1_500, remove: 600, insert: 0 }],
    [{ at: 500, remove: 700, insert: 0 }],
    // The loop itself, and back: it is empty, and off.
    [{ at: 1_000, remove: 1_000, insert: 0 }],
    [{ at: 1_000, remove: 1_000, insert: 0 }, { at: 1_000, remove: 0, insert: 1_000 }],
  ];
  const expected = [
    [1_000, 2_000, true],
    [1_000, 2_300, true],
    [1_300, 2_300, true],
    [1_000, 2_000, true],
    [1_000, 2_000, true],
    [1_000, 1_500, true],
    [1_000, 1_500, true],
    [500, 1_300, true],
    [1_000, 1_000, false],
    [2_000, 2_000, false],
  ];
  for (const [i, map] of maps.entries()) {
    await using rig = await openRig({ singleStep: true, manualClock: true });
    const loop = { enabled: true, startFrame: 1_000, endFrame: 2_000 };
    rig.signal.setLoop(loop);
    rig.signal.play(100, 2_000);
    rig.render(64);
    rig.signal.publish(mixOf([]), 1, map);
    rig.render(64);
    const head = runStep(
      { state: "playing", positionFrame: 164, originFrame: 100, toFrame: 2_000, loop },
      { kind: "map", revision: 1, map },
    );
    const { startFrame, endFrame, enabled } = rig.signal.position().loop;
    assertEquals([startFrame, endFrame, enabled], expected[i], JSON.stringify(map));
    assertEquals(rig.signal.position().loop, head.loop, JSON.stringify(map));
    // Where play ends.
    rig.signal.setLoop({ enabled: false, startFrame: 0, endFrame: 0 });
    for (let turns = 0; rig.signal.position().state === "playing" && turns < 100; turns++) {
      rig.render(64);
    }
    assertEquals(rig.signal.position().positionFrame, head.toFrame, JSON.stringify(map));
  }
});

/** The client's playhead over the real renderer and transport, in time that the test makes. */
import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { applyEdits } from "../engine/pulse/apply_edits.ts";
import { modelFromTimeline } from "../engine/pulse/model_from_timeline.ts";
import { TransportService } from "../engine/pulse/services/transport.ts";
import { Underruns } from "../engine/pulse/services/underruns.ts";
import type { Edit } from "../engine/pulse/types.ts";
import type { ClientEvents, Notifications } from "../server/web/client/interface.ts";
import {
  ClockEstimate,
  Emitter,
  EngineView,
  Playhead,
  type PulseClient,
} from "../server/web/client/mod.js";
import { prng } from "./support/prng.ts";
import { openRig } from "./support/signal_rig.ts";

const RATE = 48_000;
const PERIOD = 256;
const PERIOD_MS = PERIOD * 1000 / RATE;
/** Engine time minus our time. */
const OFFSET_MS = 5_000;

/** A client that hears what the test tells. */
class Told extends Emitter<ClientEvents> {
  revision = -1;
  resyncs = 0;
  call = () => Promise.reject(new Error("the test tells the clock"));
  resync() {
    this.resyncs++;
    return Promise.resolve();
  }
}

/** A transport over a renderer that a test drives, and a view that hears of it. */
async function setUp() {
  const rig = await openRig({ singleStep: true, manualClock: true });
  const { signal } = rig;
  const client = new Told();
  const notify = ({ method, params }: { method: string; params: unknown }) => {
    client.emit(method as "transport.state", params as ClientEvents["transport.state"]);
  };
  const transport = new TransportService({
    signal: () => signal,
    notify,
    underruns: new Underruns(notify),
    save: () => {},
  });
  const ours = () => signal.nowMs() - OFFSET_MS;
  const view = new EngineView(client as unknown as PulseClient, ours);
  view.playhead.setClockOffset(OFFSET_MS);
  let model = modelFromTimeline({ sampleRate: RATE, tracks: [{ trackId: "t" }] });
  const sync = () => {
    const timeline = { sampleRate: RATE, tracks: [] };
    client.emit("sync", {
      hello: {} as never,
      fresh: true,
      topics: { timeline: { revision: 0, timeline }, transport: transport.get() },
    });
  };
  return {
    ...{ rig, signal, client, transport, view, ours },
    sync,
    /** What is edited, published and told, as the session does it. */
    edit(...edits: Edit[]) {
      const applied = applyEdits(model, edits, "e");
      model = applied.model;
      const previousRevision = view.timeline.revision;
      const revision = previousRevision + 1;
      const { tell } = transport.publishing(revision, applied.map);
      signal.publish(model, revision, applied.map);
      client.emit("timeline.changed", {
        ...{ revision, previousRevision, cause: "edit", label: "", clientId: "" },
        ...{ canUndo: true, canRedo: false, changes: applied.changes },
      });
      tell();
    },
    /** Renders for some time, telling the position every 33 ms, and gives the greatest distance from the truth, in milliseconds. */
    run(ms: number, random: () => number = () => 0.5) {
      let worst = 0;
      let toTell = 0;
      for (let done = 0; done < ms; done += PERIOD_MS) {
        rig.render(PERIOD);
        rig.settle();
        toTell -= PERIOD_MS;
        if (toTell <= 0) {
          transport.tick();
          toTell += 20 + 26 * random();
        }
        const { audibleFrame, timeMs } = signal.position();
        const off = view.playhead.at(timeMs - OFFSET_MS) - audibleFrame;
        worst = Math.max(worst, Math.abs(off) * 1000 / RATE);
      }
      return worst;
    },
    async [Symbol.asyncDispose]() {
      client.emit("connection", { state: "closed" }); // Ends the clock's timer.
      transport[Symbol.dispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

/** The renderer takes what it was told within 60 ms; then the playhead is at most a period off, and what is left fades. */
function isRight(test: { run: (ms: number) => number }) {
  test.run(60);
  assertLess(test.run(400), PERIOD_MS + 0.1);
  assertLess(test.run(300), 0.2);
}

Deno.test("over the real renderer the playhead is at what is heard at every period, through play, seek, ripples and loops", async () => {
  await using test = await setUp();
  const { transport, view } = test;
  test.run(20);
  test.sync();
  assertEquals(view.playhead.moving, false);
  const playing = transport.play({ fromFrame: 96_000 });
  assertEquals([playing.state, playing.rate], ["playing", 1]);
  assertAlmostEquals(view.frame, 96_000, 1e-3);
  isRight(test);

  transport.seek(480_000);
  assert(view.frame >= 480_000, "at once");
  isRight(test);

  // A second before the head is deleted on all tracks: the head moves with what it plays.
  const before = view.frame;
  test.edit({ op: "range.delete", startFrame: 0, endFrame: RATE, ripple: true });
  assertLess(Math.abs(view.frame - (before - RATE)), 0.09 * RATE);
  isRight(test);

  // Around the head: onto the cut.
  const around = Math.floor(view.frame);
  test.edit({
    op: "range.delete",
    startFrame: around - RATE,
    endFrame: around + RATE,
    ripple: true,
  });
  assertLess(Math.abs(view.frame - (around - RATE)), 0.09 * RATE);
  isRight(test);

  // A loop of 120 ms: three reports a round, wraps between them.
  const from = Math.floor(view.frame) + 2_000;
  transport.setLoop({ enabled: true, startFrame: from, endFrame: from + 5_760 });
  isRight(test);
  transport.setLoop({ enabled: false, startFrame: 0, endFrame: 0 });
  isRight(test);

  const paused = transport.pause();
  assertEquals(view.frame, paused.positionFrame);
  test.run(200);
  assertEquals(view.frame, test.signal.position().positionFrame);
  transport.stop();
  test.run(60);
  assertEquals(view.frame, test.signal.position().positionFrame);
  assertEquals(test.client.resyncs, 0);
});

Deno.test("through 400 random seeks, edits and loops the playhead never stays away from what is heard", async () => {
  await using test = await setUp();
  const random = prng(17);
  const { transport, view } = test;
  test.run(20);
  test.sync();
  transport.play({ fromFrame: 10 * RATE });
  for (let step = 0; step < 400; step++) {
    const at = Math.floor(view.frame);
    const length = 1 + random.int(RATE);
    const start = Math.max(0, at + random.int(2 * RATE) - RATE);
    const kind = random.int(6);
    if (kind === 0) transport.seek(RATE + random.int(60 * RATE));
    if (kind === 1) {
      test.edit({ op: "range.delete", startFrame: start, endFrame: start + length, ripple: true });
    }
    if (kind === 2) test.edit({ op: "range.insert", atFrame: start, lengthFrames: length });
    if (kind === 3) {
      transport.setLoop({
        enabled: random.chance(0.7),
        startFrame: start,
        endFrame: start + 480 + length,
      });
    }
    if (kind === 4) {
      transport.pause();
      transport.play({});
    }
    if (kind === 5) test.edit({ op: "track.set", trackId: "t", set: { gainDb: -random.int(9) } });
    test.run(random.int(300), () => random.next());
    // Small disagreements have faded by a fiftieth after half a second; what is left then is within a period.
    const calm = random.chance(0.25);
    if (!calm) continue;
    test.run(500);
    assertLess(test.run(150), PERIOD_MS, `after step ${step}, of kind ${kind}`);
  }
});

/** Round trips between two clocks that the test makes: one drifts, answers take their time, more one way than the other. */
function clocks(random: ReturnType<typeof prng>, drift: number, jitterMs: number) {
  let trueMs = 0;
  const engineMs = () => 777_000 + trueMs * (1 + drift);
  return {
    pass: (ms: number) => void (trueMs += ms),
    get nowMs() {
      return trueMs;
    },
    get offsetMs() {
      return engineMs() - trueMs;
    },
    roundTrip() {
      const sentMs = trueMs;
      trueMs += 0.2 + jitterMs * random.next() ** 4;
      const timeMs = engineMs();
      trueMs += 0.2 + jitterMs * random.next() ** 4;
      return { sentMs, receivedMs: trueMs, timeMs };
    },
  };
}

Deno.test("ClockEstimate is never further off than the surest of the latest answers allows, with clocks that drift by 100 ppm", () => {
  for (const drift of [-100e-6, 0, 100e-6]) {
    const random = prng(23);
    const estimate = new ClockEstimate();
    const clock = clocks(random, drift, 40);
    const latest: { halfMs: number; atMs: number }[] = [];
    let worst = 0;
    let alone = 0;
    for (let sample = 0; sample < 900; sample++) {
      const trip = clock.roundTrip();
      const { sentMs, receivedMs, timeMs } = trip;
      const off = Math.abs(estimate.add(trip) - clock.offsetMs);
      latest.push({ halfMs: (receivedMs - sentMs) / 2, atMs: receivedMs });
      if (latest.length > 12) latest.shift();
      const sure = Math.min(
        ...latest.map(({ halfMs, atMs }) => halfMs + (receivedMs - atMs) * 200e-6),
      );
      assertLess(off, sure, `sample ${sample}, drift ${drift}`);
      worst = Math.max(worst, off);
      alone = Math.max(alone, Math.abs(timeMs - (sentMs + receivedMs) / 2 - clock.offsetMs));
      clock.pass(sample < 5 ? 120 : 4_000);
    }
    // Single answers are much further off.
    assert(alone > 2 * worst, `${alone} and ${worst}`);
  }
});

Deno.test("ClockEstimate believes a clock that was set, or slept, at its next answer", () => {
  const estimate = new ClockEstimate();
  for (let at = 0; at < 40_000; at += 4_000) {
    assertEquals(estimate.add({ sentMs: at, receivedMs: at + 2, timeMs: at + 501 }), 500);
  }
  assertEquals(estimate.add({ sentMs: 50_000, receivedMs: 50_004, timeMs: 80_002 }), 30_000);
  // Less sure than what is known, and not in contradiction to it.
  const vague = { sentMs: 54_000, receivedMs: 54_100, timeMs: 84_080 };
  assertEquals(estimate.add(vague), 30_000);
  estimate.reset();
  assertEquals(estimate.add(vague), 30_030);
});

Deno.test("for ten minutes of clocks that drift apart, late answers and late reports, the playhead never goes back and stays within 4 ms of what is heard", () => {
  for (const drift of [-100e-6, 100e-6]) {
    const random = prng(31);
    const head = new Playhead();
    const estimate = new ClockEstimate();
    head.setSampleRate(RATE);
    const clock = clocks(random, drift, 4);
    const engineMs = () => clock.nowMs + clock.offsetMs;
    const begunMs = engineMs();
    const heard = () => (engineMs() - begunMs) * RATE / 1000;
    for (let sample = 0; sample < 5; sample++) {
      head.setClockOffset(estimate.add(clock.roundTrip()));
      clock.pass(120);
    }
    head.setTransport({
      ...{ state: "playing", positionFrame: heard() + 480, audibleFrame: heard(), rate: 1 },
      ...{ timeMs: engineMs(), revision: 0, deviceLatencyFrames: 480 },
      loop: { enabled: false, startFrame: 0, endFrame: 0 },
    });
    let last = head.at(clock.nowMs);
    let askAt = clock.nowMs;
    let tellAt = clock.nowMs;
    const waiting: { atMs: number; report: Notifications["transport.position"] }[] = [];
    for (const endMs = clock.nowMs + 600_000; clock.nowMs < endMs;) {
      const now = clock.nowMs;
      if (now >= askAt) {
        head.setClockOffset(estimate.add(clock.roundTrip()));
        askAt = now + 4_000;
      }
      if (now >= tellAt) {
        const report = {
          ...{ positionFrame: heard() + 480, audibleFrame: heard(), timeMs: engineMs() },
          ...{ rate: 1, revision: 0 },
        };
        waiting.push({ atMs: now + 60 * random.next(), report });
        tellAt = now + 33;
      }
      while (waiting.length > 0 && waiting[0].atMs <= clock.nowMs) {
        head.report(waiting.shift()!.report, clock.nowMs);
      }
      const frame = head.at(clock.nowMs);
      assert(frame >= last, `went back by ${last - frame} frames`);
      assertLess(Math.abs(frame - heard()) * 1000 / RATE, 4);
      last = frame;
      clock.pass(1000 / 60);
    }
  }
});

/**
 * Edits at the worst moments: inside a fade, at a loop's wrap, while a seek or an edit waits at the gate, when the file is replaced, when nothing is left.
 * Every period is compared with a player that was written from DESIGN §4 alone.
 *
 * @module
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineError } from "../engine/errors.ts";
import type { Edit } from "../engine/pulse/types.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { CutStage, PERIOD } from "./support/cut_stage.ts";
import { FADE } from "./support/expected_player.ts";
import { firstDifference } from "./support/signal_rig.ts";

const RATE = 48_000;
/** Frames of a segment. */
const SEGMENT = 12_000;
const SEGMENTS = 12;
/** The system's recording began so many frames before the microphone's. */
const OFFSET = 1_234;
/** Where clips of what was never read lie in its file: further apart than pages. */
const COLD = 300_000;

/** A recording of two files in segments, each a group; and a file of which nothing was read. */
async function recorded(pan = 0): Promise<CutStage> {
  const stage = await CutStage.make();
  const length = SEGMENT * SEGMENTS;
  await stage.add("mic", { planes: randomPlanes(1, 1, length, "s16"), encoding: "s16" });
  await stage.add("system", {
    planes: randomPlanes(2, 2, length + OFFSET, "s24"),
    encoding: "s24",
  });
  await stage.add("cold", { planes: randomPlanes(3, 1, 2 * COLD, "s16"), encoding: "s16" });
  const clips = (assetId: string, offset: number) =>
    Array.from({ length: SEGMENTS }, (_, i) => ({
      clipId: `${assetId[0]}${i}`,
      assetId,
      startFrame: i * SEGMENT,
      lengthFrames: SEGMENT,
      sourceFrame: i * SEGMENT + offset,
      groupId: `g${i}`,
    }));
  stage.edit(
    { op: "track.add", track: { trackId: "mic", pan: -pan, clips: clips("mic", 0) } },
    { op: "track.add", track: { trackId: "system", pan, clips: clips("system", OFFSET) } },
  );
  stage.follow();
  return stage;
}

/** The same, playing from a frame on. */
async function playing(fromFrame: number, pan = 0): Promise<CutStage> {
  const stage = await recorded(pan);
  stage.play(fromFrame);
  stage.hear(2 * PERIOD, "it plays");
  return stage;
}

/** Replaces what a clip plays by what was never read. */
const toCold = (clipId: string, sourceFrame = 0): Edit => ({
  op: "clip.set",
  clipId,
  set: { assetId: "cold", sourceFrame },
});
const remove = (clipId: string): Edit => ({ op: "segment.delete", clipId });
const cutOut = (startFrame: number, endFrame: number): Edit => ({
  op: "range.delete",
  startFrame,
  endFrame,
  ripple: true,
});

Deno.test("of three edits within one fade the first and the last are heard, the last in the frame after the fade", async () => {
  await using stage = await playing(SEGMENT + 3_000);
  stage.edit(remove("m1"));
  stage.hear(200, "the first, from under the head");
  stage.edit(remove("m2"));
  stage.hear(100, "the second, within the fade");
  stage.edit({ op: "clip.slip", clipId: "m3", sourceFrame: 777 });
  stage.hear(FADE - 301, "the third, within the same fade");
  assertEquals(stage.player.fades, 1);
  stage.hear(2, "the first fade ends, the next begins");
  assertEquals(stage.player.fades, 2);
  stage.hear(3_000, "what is left");
  assertEquals(stage.signal.counters().publicationsDisplaced, 1);
  assertEquals(stage.signal.position().revision, 4);
  stage.checkNothingMissed();
});

Deno.test("an edit in every period of a fade, for a hundred fades, is heard within the fade and a period", async () => {
  await using stage = await playing(3_000);
  for (let i = 0; i < 300; i++) {
    stage.edit({ op: "clip.slip", clipId: "s0", sourceFrame: 100 + i * 7 });
    stage.hear(PERIOD, `slip ${i}`);
    if (i % 30 === 29) stage.seek(3_000);
  }
  stage.hear(2 * FADE, "the last");
  assert(stage.player.isSettled);
  assert(stage.player.fades >= 100, `${stage.player.fades} fades`);
  assert(Math.max(...stage.player.waits) <= FADE + PERIOD);
  stage.checkNothingMissed();
});

Deno.test("undo and redo inside the fade of what they take back", async () => {
  await using stage = await playing(2 * SEGMENT + 100);
  const undoings: [string, () => void][] = [
    ["delete under the head", () => stage.edit(remove("m2"))],
    ["undo", () => stage.undo()],
    ["redo", () => stage.redo()],
    ["undo again", () => stage.undo()],
    ["cut behind", () => stage.edit(cutOut(100, 700))],
    ["undo of it", () => stage.undo()],
    ["redo of it", () => stage.redo()],
  ];
  for (const gap of [1, 100, 719, 720, 721, 1_500]) {
    for (const [what, act] of undoings) {
      act();
      stage.hear(gap, `${what}, ${gap} frames to the next`);
    }
    stage.undo();
    stage.hear(3 * FADE, `at rest, ${gap}`);
    stage.seek(2 * SEGMENT + 100);
    stage.hear(2 * FADE, `back, ${gap}`);
  }
  stage.checkNothingMissed();
});

Deno.test("a loop goes with what it loops, whatever is cut at its ends while it turns", async () => {
  await using stage = await recorded();
  const [from, to] = [2 * SEGMENT + 500, 4 * SEGMENT + 700];
  stage.loop(from, to);
  stage.play(to - 400);
  stage.hear(300, "to the wrap");
  const edits: [string, Edit][] = [
    ["a cut in front of the loop", cutOut(1_000, 2_111)],
    ["across its begin", cutOut(from - 1_311, from - 900)],
    ["within it", cutOut(from + 2_000, from + 9_000)],
    ["across its end", cutOut(to - 9_500, to - 8_000)],
    ["behind it", cutOut(to + 100, to + 200)],
    ["room in front of it", { op: "range.insert", atFrame: 50, lengthFrames: 333 }],
    ["room within it", { op: "range.insert", atFrame: from, lengthFrames: 77 }],
    ["the segment at its begin", remove("m2")],
  ];
  for (const [what, edit] of edits) {
    // Wherever the head is by now, the fade goes over a wrap.
    const { loop, positionFrame } = stage.player.head;
    const toWrap = loop.endFrame - positionFrame - 300;
    if (toWrap > 0) stage.hear(toWrap, `to the wrap, before ${what}`);
    stage.edit(edit);
    stage.hear(20_000, what);
  }
  for (const [what] of edits.toReversed()) {
    stage.undo();
    stage.hear(3_000, `undo of ${what}`);
  }
  assert(stage.player.head.loop.enabled);
  stage.checkNothingMissed();
});

Deno.test("a loop shorter than a period is cut across its wrap until less than a frame is left: it is off, with an event, and the head plays on", async () => {
  await using stage = await recorded();
  stage.loop(24_000, 24_037);
  stage.play(23_900);
  stage.hear(1_000, "many turns a period");
  const steps: [string, Edit, [number, number]][] = [
    ["its end", cutOut(24_030, 24_100), [24_000, 24_030]],
    ["its begin", cutOut(23_990, 24_010), [23_990, 24_010]],
    ["its middle", cutOut(23_995, 24_000), [23_990, 24_005]],
    ["all but a frame", cutOut(23_991, 24_005), [23_990, 23_991]],
  ];
  for (const [what, edit, [startFrame, endFrame]] of steps) {
    stage.edit(edit);
    stage.hear(10, `${what}, within the fade`);
    assertEquals(stage.signal.position().loop, { enabled: true, startFrame, endFrame });
    stage.hear(2_000, what);
  }
  stage.edit(cutOut(23_980, 24_000));
  stage.hear(2_000, "all of it");
  assertEquals(stage.player.loopsOff, 1);
  assertEquals(stage.signal.position().loop.enabled, false);
  const { positionFrame } = stage.signal.position();
  assert(positionFrame >= 23_980 + 2_000 - PERIOD, `the head stands at ${positionFrame}`);
  assertEquals(stage.signal.drainEvents().filter(({ kind }) => kind === "loopOff").length, 1);
  stage.checkNothingMissed();
});

Deno.test("a seek that waits at the gate goes through the edits that are made meanwhile, and they are heard with it", async () => {
  for (const order of ["seek first", "edit first"]) {
    await using stage = await recorded();
    stage.edit({
      op: "clip.add",
      trackId: "mic",
      clip: { assetId: "cold", startFrame: 20 * RATE, lengthFrames: RATE, sourceFrame: COLD },
    });
    stage.play(1_000);
    stage.hear(2 * PERIOD, order);
    stage.signal.native.symbols.lp_store_drop(stage.signal.native.engine);
    stage.follow();
    // What lies beyond the horizon is not there; what sounds is.
    assertEquals(stage.signal.residentFrames("cold", COLD, 1), 0);
    stage.hear(PERIOD, order);
    stage.hold();
    const target = 20 * RATE + 100;
    if (order === "seek first") stage.seek(target);
    else stage.edit(cutOut(2 * SEGMENT, 3 * SEGMENT));
    if (order === "edit first") stage.seek(target - SEGMENT);
    stage.hear(PERIOD, `${order}: it waits`);
    assert(stage.player.isWaiting);
    stage.edit(cutOut(5 * SEGMENT, 5 * SEGMENT + 999));
    stage.hear(PERIOD, `${order}: an edit more`);
    stage.edit({ op: "clip.slip", clipId: "s11", sourceFrame: 5 });
    stage.hear(PERIOD, `${order}: and another`);
    assert(stage.player.isWaiting);
    stage.release();
    stage.hear(PERIOD, `${order}: it is there`);
    const cutOff = order === "seek first" ? 999 : SEGMENT + 999;
    assertEquals(stage.player.head.positionFrame, target - cutOff + PERIOD);
    stage.hear(3 * FADE, `${order}: all of it`);
    assertEquals(stage.signal.counters().admittedByDeadline, 0);
    stage.checkNothingMissed();
  }
});

Deno.test("a cut onto what does not come: after 30 ms a gap of its track alone, counted, then a fade back; the other track keeps its bits throughout", async () => {
  // Each track on a side of its own.
  await using stage = await playing(3_000, 1);
  const { rig, signal } = stage;
  const { symbols, engine } = signal.native;
  const [mic] = rigPlanes(1, "s16");
  const [, system] = rigPlanes(2, "s24");
  const [cold] = rigPlanes(3, "s16");
  let at = 3_000 + 2 * PERIOD;
  stage.hold();
  stage.edit(toCold("s0"));
  let periods = 0;
  for (;; periods++) {
    symbols.lp_step_follow(engine);
    if (!signal.position().gateWaiting) break;
    // A newer edit inherits the deadline of the oldest.
    if (periods === 3) stage.edit(toCold("s0", COLD));
    const [left, right] = rig.render(PERIOD);
    assertEquals(firstDifference(left, mic.slice(at, at + PERIOD)), -1, "the microphone");
    assertEquals(
      firstDifference(right, system.slice(at + OFFSET, at + OFFSET + PERIOD)),
      -1,
      "the system",
    );
    at += PERIOD;
  }
  assertEquals(periods, 6, "30 ms of 5 ms each");
  const gap = FADE + 3 * PERIOD;
  const [left, right] = rig.render(gap);
  assertEquals(firstDifference(left, mic.slice(at, at + gap)), -1, "the microphone, in the fade");
  for (let i = 0; i < FADE; i++) {
    const sinking = system[at + OFFSET + i] * (1 - (i + 0.5) / FADE);
    assert(Math.abs(right[i] - sinking) < 1e-6, `frame ${i} of the fade`);
  }
  assertEquals(right.slice(FADE).findIndex((x) => x !== 0), -1, "a gap");
  at += gap;
  const counters = signal.counters();
  assertEquals(
    [counters.missing, counters["missing.queue"], counters.faded, counters.admittedByDeadline],
    [gap, gap, 0, 1],
  );
  assertEquals(signal.trackCounters("system").missing, gap);
  assertEquals(signal.trackCounters("mic").missing, 0);
  stage.release();
  const [still, back] = rig.render(FADE + 1_000);
  assertEquals(firstDifference(still, mic.slice(at, at + FADE + 1_000)), -1, "the microphone");
  let faded = 0;
  for (let i = 0, presence = 0; i < FADE + 1_000; i++) {
    presence = Math.min(1, Math.fround(presence + Math.fround(1 / FADE)));
    if (presence < 1) faded++;
    assertEquals(back[i], Math.fround(cold[COLD + at + i] * presence), `frame ${i} after it came`);
  }
  assert(Math.abs(faded - FADE) < 3, `${faded} frames faded`);
  const after = signal.counters();
  assertEquals([after.missing, after.faded], [gap, faded]);
  const gaps = signal.drainEvents().filter(({ kind }) => kind === "gapBegin" || kind === "gapEnd");
  assertEquals(gaps.map(({ kind }) => kind), ["gapBegin", "gapEnd"]);
});

/** Planes of `recorded`'s files as floats. */
function rigPlanes(seed: 1 | 2 | 3, encoding: "s16" | "s24"): Float32Array[] {
  const length = [0, SEGMENT * SEGMENTS, SEGMENT * SEGMENTS + OFFSET, 2 * COLD][seed];
  const scale = encoding === "s16" ? 2 ** 15 : 2 ** 23;
  return randomPlanes(seed, seed === 2 ? 2 : 1, length, encoding)
    .map((plane) => Float32Array.from(plane, (x) => x / scale));
}

Deno.test("a cut that lands on what is read just in time keeps the old sound until it is there, then is the new one, to the bit", async () => {
  await using stage = await playing(3_000);
  stage.loop(3_000, 6_000);
  stage.hear(PERIOD, "it turns, within one page");
  for (let i = 0; i < 8; i++) {
    stage.hold();
    stage.edit(toCold("s0", i * 8 * 8_192));
    const periods = i % 6;
    stage.hear(periods * PERIOD, `cut ${i}, it waits`);
    assertEquals(stage.player.isWaiting, true);
    // What lies behind the wrap may be a read of its own.
    for (let reads = 0; stage.player.isWaiting && reads < 2; reads++) stage.release(1);
    assertEquals(stage.player.isWaiting, false);
    for (let period = 0; period < 5; period++) {
      stage.hear(PERIOD, `cut ${i}, it came`);
      stage.release(1);
    }
    assertEquals(stage.player.isSettled, true);
  }
  assertEquals(stage.signal.counters().admittedByDeadline, 0);
  stage.checkNothingMissed();
});

Deno.test("an edit onto what is not there has 30 ms of its own, though another waits for a fade when it is made", async () => {
  await using stage = await playing(SEGMENT + 3_000);
  stage.hold();
  stage.edit({ op: "clip.slip", clipId: "m1", sourceFrame: 50 });
  stage.hear(PERIOD, "a fade runs");
  stage.edit(cutOut(100, 700));
  stage.hear(PERIOD, "another waits for its end");
  stage.edit(toCold("s1"), cutOut(1_000, 1_300));
  // The third period ends the fade, and the other is heard. Its head goes by each cut once.
  for (let period = 1; period < 6; period++) {
    stage.hear(PERIOD, `it waits, period ${period}`);
    assert(stage.player.isWaiting, `period ${period}`);
  }
  stage.release();
  stage.hear(PERIOD, "it came within its time");
  assertEquals(stage.signal.position().revision, stage.timeline.revision);
  stage.hear(2_000, "and is heard");
  assertEquals(stage.signal.counters().admittedByDeadline, 0);
  stage.checkNothingMissed();
});

Deno.test("a file that is replaced inside a fade fades to the new one: no frame has both but by its weights", async () => {
  await using stage = await playing(3_000);
  const other = (seed: number) => ({
    planes: randomPlanes(seed, 1, SEGMENT * SEGMENTS, "s16"),
    encoding: "s16" as const,
  });
  stage.edit({ op: "clip.slip", clipId: "m0", sourceFrame: 50 });
  stage.hear(300, "an edit");
  await stage.add("mic", other(11));
  stage.hear(100, "replaced within its fade");
  stage.edit(remove("m1"));
  stage.hear(100, "an edit of the new one, within the same fade");
  await stage.add("mic", other(12));
  stage.hear(900, "replaced once more");
  stage.undo();
  await stage.add("mic", other(13));
  stage.hear(5_000, "an undo and a third one at once");
  assert(stage.player.isSettled);
  stage.checkNothingMissed();
});

Deno.test("edits of several clients in one fade sound in the order in which they were taken; one that was refused changes nothing", async () => {
  await using stage = await playing(SEGMENT + 1_000);
  const [a, b] = [{ clientId: "a" }, { clientId: "b" }];
  const { timeline } = stage;
  let base = timeline.revision;
  for (let i = 0; i < 40; i++) {
    // One drags a clip, the other cuts in front of it.
    const slip: Edit = { op: "clip.slip", clipId: "s1", sourceFrame: 40 * i };
    base = timeline.edit([slip], { mergeKey: "drag", baseRevision: base }, a).revision;
    stage.hear(i % 5 * 60, `drag ${i}`);
    if (i % 4 === 1) {
      timeline.edit([cutOut(10, 60)], { requestId: `cut${i}` }, b);
      stage.hear(30, `cut ${i}`);
      const again = timeline.edit([cutOut(10, 60)], { requestId: `cut${i}` }, b);
      assertEquals(again.revision, timeline.revision);
      stage.hear(50, `the same request again, ${i}`);
      const made = stage.signal.position().made;
      const refused = assertThrows(
        () => timeline.edit([slip], { mergeKey: "drag", baseRevision: base }, a),
        EngineError,
      );
      assertEquals(refused.code, "timeline.conflict");
      assertEquals(stage.signal.position().made, made, "nothing was published");
      base = timeline.revision;
    }
    if (i % 8 === 7) {
      timeline.undo({}, b);
      base = timeline.revision;
      stage.hear(90, `b undoes, ${i}`);
    }
  }
  stage.hear(3 * FADE, "at rest");
  assert(stage.player.isSettled);
  stage.checkNothingMissed();
});

Deno.test("pause, play and stop while an edit waits at the gate", async () => {
  const ways: [string, (stage: CutStage) => void][] = [
    ["pause", (stage) => stage.pause()],
    ["stop", (stage) => stage.stop()],
    ["pause and play", (stage) => {
      stage.pause();
      stage.play();
    }],
    ["play from elsewhere", (stage) => stage.play(7 * SEGMENT)],
    ["stop and play", (stage) => {
      stage.stop();
      stage.play();
    }],
  ];
  for (const [what, act] of ways) {
    await using stage = await playing(SEGMENT + 3_000);
    stage.hold();
    stage.edit(cutOut(100, 600), toCold("s1"), toCold("s7", COLD));
    stage.hear(2 * PERIOD, `${what}: it waits`);
    assert(stage.player.isWaiting, what);
    act(stage);
    const plays = !["pause", "stop"].includes(what);
    // What does not play waits for nothing.
    assertEquals(stage.player.isWaiting, plays, what);
    stage.hear(PERIOD, what);
    if (!plays) {
      stage.hear(FADE, `${what}: it fades out`);
      const [left] = stage.hear(FADE, `${what}: it is silent`);
      assert(left.every((x) => x === 0));
      assertEquals(
        stage.signal.position().positionFrame,
        SEGMENT + 3_000 - 500 + (what === "pause" ? 4 * PERIOD : 0),
      );
      stage.play();
      assert(stage.player.isWaiting, `${what}: what is to be played is not there`);
      const [quiet] = stage.hear(PERIOD, `${what}: play waits`);
      assert(quiet.every((x) => x === 0));
    }
    stage.release();
    stage.hear(3 * FADE, `${what}: it came`);
    assert(stage.player.isSettled, what);
    assertEquals(stage.signal.counters().admittedByDeadline, 0);
    stage.checkNothingMissed();
  }
});

Deno.test("the last clip deleted under the head fades out, an empty timeline plays on, and a first clip is heard in the next period", async () => {
  await using stage = await playing(3_000);
  for (let i = SEGMENTS - 1; i > 0; i--) stage.edit(remove(`m${i}`));
  stage.hear(2 * FADE, "one segment is left");
  stage.edit(remove("m0"));
  stage.hear(FADE, "it fades out");
  const [silent] = stage.hear(5_000, "nothing is left");
  assert(silent.every((x) => x === 0));
  const { positionFrame, state } = stage.signal.position();
  assertEquals([positionFrame, state], [5_000 + FADE, "playing"]);
  stage.edit({ op: "track.remove", trackId: "mic" }, { op: "track.remove", trackId: "system" });
  stage.hear(1_000, "not even tracks");
  stage.edit({
    op: "track.add",
    track: {
      trackId: "new",
      clips: [{ assetId: "mic", startFrame: 0, lengthFrames: SEGMENT, sourceFrame: 9 }],
    },
  });
  const [first] = stage.hear(PERIOD, "the first clip");
  assert(first.every((x) => x !== 0), "it is heard at once");
  stage.hear(2_000, "it plays");
  for (let i = 0; i < 6; i++) {
    stage.undo();
    stage.hear(100 * i, `undo ${i}`);
  }
  stage.hear(3 * FADE, "at rest");
  stage.checkNothingMissed();
});

Deno.test("a track that is removed under its sounding voice fades out, and comes back by an undo within that fade", async () => {
  await using stage = await playing(3_000);
  for (const gap of [0, 1, 300, 719, 720, 1_000]) {
    stage.edit({ op: "track.remove", trackId: "system" });
    stage.hear(gap, `removed, ${gap}`);
    stage.undo();
    stage.hear(gap, `back, ${gap}`);
    stage.edit({ op: "track.set", trackId: "mic", set: { gainDb: -1 - gap / 100 } });
    stage.hear(gap >> 1, `the other's gain, ${gap}`);
    stage.undo();
    stage.hear(3 * FADE, `at rest, ${gap}`);
  }
  stage.checkNothingMissed();
});

Deno.test("edits of muted and soloed tracks, and gains that change in the same edit and inside a fade", async () => {
  await using stage = await playing(3_000);
  const set = (trackId: string, values: Extract<Edit, { op: "track.set" }>["set"]): Edit => ({
    op: "track.set",
    trackId,
    set: values,
  });
  const slip = (clipId: string, sourceFrame: number): Edit => ({
    op: "clip.slip",
    clipId,
    sourceFrame,
  });
  const steps: [string, ...Edit[]][] = [
    ["mute", set("system", { mute: true })],
    ["an edit of what is muted", slip("s0", 99)],
    ["a cut through both", cutOut(3_500, 3_900)],
    ["unmuted with an edit", set("system", { mute: false }), slip("s0", 300)],
    ["solo", set("mic", { solo: true })],
    ["an edit of what the solo silences", slip("s0", 400)],
    ["an edit of the soloed one", slip("m0", 500)],
    ["both soloed, and panned", set("system", { solo: true }), set("mic", { pan: 0.5 })],
    ["silent", set("system", { gainDb: null })],
    ["muted and deleted", set("mic", { mute: true }), cutOut(1_000, 1_500)],
    ["loud", set("system", { gainDb: 6 }), set("mic", { mute: false, gainDb: -6, pan: -0.3 })],
  ];
  for (const gap of [50, 400, 719, 1_300]) {
    for (const [what, ...edits] of steps) {
      stage.edit(...edits);
      stage.hear(gap, `${what}, ${gap}`);
    }
    for (const [what] of steps.toReversed()) {
      stage.undo();
      stage.hear(gap >> 1, `undo of ${what}, ${gap}`);
    }
    stage.hear(3 * FADE, `at rest, ${gap}`);
    stage.seek(3_000);
  }
  stage.checkNothingMissed();
});

Deno.test("a track that an edit does not touch keeps its bits through the fade of another's", async () => {
  await using stage = await playing(3_000, 1);
  const [mic] = rigPlanes(1, "s16");
  let at = 3_000 + 2 * PERIOD;
  for (let i = 0; i < 12; i++) {
    stage.edit({ op: "clip.slip", clipId: "s0", sourceFrame: 100 * i });
    const [left] = stage.hear(FADE, `slip ${i}`);
    assertEquals(firstDifference(left, mic.slice(at, at + FADE)), -1, `slip ${i}`);
    at += FADE;
  }
  assertEquals(stage.player.fades, 12);
});

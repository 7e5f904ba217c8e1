/**
 * Where one step of the user leads, all is there before: with the gate of reading closed, each is heard in the next period, to the sample. The
 * plan is that of `pulse/anticipation.ts`, the renderer is the native one, single-stepped on a clock set by hand.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { anticipate, type AnticipationInput, type Intent } from "../engine/pulse/anticipation.ts";
import { clipsWithin } from "../engine/pulse/block_range.ts";
import type { TimelineModel } from "../engine/pulse/timeline_model.ts";
import { TimelineService } from "../engine/pulse/timeline_service.ts";
import type { Edit, Loop } from "../engine/pulse/types.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { ME } from "./support/engine_place.ts";
import { firstDifference, openRig, type Rig } from "./support/signal_rig.ts";

const RATE = 48_000;
const PAGE = 8_192;
const PERIOD = 256;
/** Of the fade to what sounds next. */
const FADE = 720;
/** What is listened to after each step. */
const HEARD = 40_000;
const SECONDS = 100;
const UNITS = 180;
const s = (seconds: number) => Math.round(seconds * RATE);

const files = new Map(
  ["a", "b"].map((id, i) => [id, {
    planes: randomPlanes(i + 1, 1, SECONDS * RATE, "s16"),
    encoding: "s16" as const,
  }]),
);

const LAID: Edit[] = [
  {
    op: "track.add",
    track: {
      trackId: "t",
      clips: [
        { clipId: "c", assetId: "a", startFrame: 0, lengthFrames: s(30), sourceFrame: 0 },
        { clipId: "d", assetId: "a", startFrame: s(30), lengthFrames: s(50), sourceFrame: s(30) },
        { clipId: "e", assetId: "a", startFrame: s(80), lengthFrames: s(20), sourceFrame: s(80) },
      ],
    },
  },
  {
    op: "track.add",
    track: {
      trackId: "u",
      clips: [{ clipId: "f", assetId: "b", startFrame: 0, lengthFrames: s(100), sourceFrame: 0 }],
    },
  },
];

interface Stage extends AsyncDisposable {
  rig: Rig;
  timeline: TimelineService;
  /** Follower and fills, until nothing is left to do. */
  settle(): void;
}

/** A timeline of two tracks in a store that holds less than half of it, playing. */
async function openStage(units = UNITS): Promise<Stage> {
  const rig = await openRig({ singleStep: true, manualClock: true, memoryBytes: units * 16_384 });
  for (const [id, material] of files) await rig.add(id, material);
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  const timeline = TimelineService.inMemory(RATE, {
    onCommit: ({ model, revision, map }) => signal.publish(model, revision, map),
  });
  timeline.edit(LAID, {}, ME);
  const settle = () => {
    do {
      symbols.lp_step_follow(engine);
      while (symbols.lp_step_fill(engine) > 0);
    } while (!signal.anticipation().settled);
  };
  settle();
  return { rig, timeline, settle, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() };
}

interface Standing {
  /** Where the head plays. */
  at: number;
  /** Where play began, if elsewhere. */
  originFrame?: number;
  loop?: Loop;
  intents?: Intent[];
}

/** Plays on from `at` and says what may be wanted. */
function stand({ rig, timeline, settle }: Stage, standing: Standing): void {
  const { signal } = rig;
  const { at, originFrame = at, loop, intents = [] } = standing;
  signal.play(originFrame);
  if (originFrame !== at) signal.seek(at);
  if (loop !== undefined) signal.setLoop(loop);
  settle();
  rig.render(PERIOD);
  settle();
  const input: AnticipationInput = {
    model: timeline.model,
    head: {
      positionFrame: signal.position().positionFrame,
      originFrame,
      loop: loop ?? { enabled: false, startFrame: 0, endFrame: 0 },
    },
    intents,
    ...timeline.landings,
    leadSeconds: 1.5,
    budgetUnits: Math.floor(UNITS * 31 / 32),
    shapeOf: () => ({ channels: 1, pageFrames: PAGE, sourceFrames: SECONDS * RATE }),
  };
  signal.anticipate(anticipate(input));
  settle();
  // The fade of what was done so far ends.
  for (let i = 0; i < 4; i++) {
    rig.render(PERIOD);
    settle();
  }
}

/** What a timeline sounds like. */
function expected(rig: Rig, model: TimelineModel, from: number, frames: number): Float32Array {
  const mix = new Float32Array(frames);
  for (const { blocks } of model.tracks) {
    clipsWithin(blocks, from, from + frames, (start, { assetId, sourceFrame, lengthFrames }) => {
      const plane = rig.sources.get(assetId)![0];
      const a = Math.max(from, start);
      const b = Math.min(from + frames, start + lengthFrames);
      for (let i = a; i < b; i++) mix[i - from] += plane[sourceFrame + i - start];
    });
  }
  return mix;
}

/** Closes the gate of reading, does something, and listens; counters of what was missing and read. */
function hear({ rig, timeline }: Stage, act: () => void) {
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  symbols.lp_gate_set(engine, 1);
  const before = signal.counters();
  act();
  symbols.lp_step_follow(engine);
  const heard = new Float32Array(Math.ceil(HEARD / PERIOD) * PERIOD);
  heard.set(rig.render(PERIOD)[0]);
  const { acknowledged, made, positionFrame } = signal.position();
  const from = positionFrame - PERIOD;
  for (let at = PERIOD; at < heard.length; at += PERIOD) {
    symbols.lp_step_follow(engine);
    heard.set(rig.render(PERIOD)[0], at);
  }
  const after = signal.counters();
  const rest = expected(rig, timeline.model, from + FADE, heard.length - FADE);
  return {
    inNextPeriod: acknowledged === made,
    from,
    missing: after.missing - before.missing,
    faded: after.faded - before.faded,
    reads: after.reads - before.reads,
    differsAt: firstDifference(heard.subarray(FADE), rest),
  };
}

const WHOLE = { inNextPeriod: true, missing: 0, faded: 0, reads: 0, differsAt: -1 };

/** Each step, from where, and where it leads. */
const STEPS: {
  name: string;
  before?: (stage: Stage) => void;
  standing: Standing;
  act: (stage: Stage) => void;
  lands: (at: number) => number;
}[] = [
  {
    name: "a jump to a marker",
    before: ({ timeline }) =>
      timeline.edit(
        [{ op: "marker.add", marker: { markerId: "m", frame: s(77), name: "M" } }],
        {},
        ME,
      ),
    standing: { at: s(10) },
    act: ({ rig }) => rig.signal.seek(s(77)),
    lands: () => s(77),
  },
  {
    name: "a jump to the loop's begin",
    standing: { at: s(10), loop: { enabled: true, startFrame: s(65), endFrame: s(69) } },
    act: ({ rig }) => rig.signal.seek(s(65)),
    lands: () => s(65),
  },
  {
    name: "a jump to the out point",
    before: ({ timeline }) =>
      timeline.edit([{ op: "io.set", inFrame: s(1), outFrame: s(62) }], {}, ME),
    standing: { at: s(10) },
    act: ({ rig }) => rig.signal.seek(s(62)),
    lands: () => s(62),
  },
  {
    name: "a jump to the cursor",
    standing: { at: s(10), intents: [{ cursorFrame: s(71) }] },
    act: ({ rig }) => rig.signal.seek(s(71)),
    lands: () => s(71),
  },
  {
    name: "stop, and play from there",
    standing: { at: s(10), originFrame: s(83) },
    act: ({ rig }) => {
      rig.signal.stop();
      rig.signal.play();
    },
    lands: () => s(83),
  },
  {
    name: "the undo of a range.delete before which the head stands",
    before: ({ timeline }) =>
      timeline.edit(
        [{ op: "range.delete", startFrame: s(20), endFrame: s(60), ripple: true }],
        {},
        ME,
      ),
    standing: { at: s(19.9) },
    act: ({ timeline }) => timeline.undo({}, ME),
    lands: (at) => at,
  },
  {
    name: "the undo of a range.delete in which the head stands",
    before: ({ timeline }) =>
      timeline.edit(
        [{ op: "range.delete", startFrame: s(5), endFrame: s(60), ripple: false }],
        {},
        ME,
      ),
    standing: { at: s(30) },
    act: ({ timeline }) => timeline.undo({}, ME),
    lands: (at) => at,
  },
  {
    name: "a redo",
    before: ({ timeline }) => {
      timeline.edit([{ op: "clip.slip", clipId: "d", sourceFrame: s(1) }], {}, ME);
      timeline.undo({}, ME);
    },
    standing: { at: s(75) },
    act: ({ timeline }) => timeline.redo({}, ME),
    lands: (at) => at,
  },
  {
    name: "the deletion of the selected segment in which the head stands",
    standing: { at: s(35), intents: [{ selectedClipIds: ["d"] }] },
    act: ({ timeline }) => timeline.edit([{ op: "segment.delete", clipId: "d" }], {}, ME),
    lands: () => s(30),
  },
];

for (const { name, before, standing, act, lands } of STEPS) {
  Deno.test(`${name} is heard in the next period, without a read`, async () => {
    await using stage = await openStage();
    before?.(stage);
    stand(stage, standing);
    const at = stage.rig.signal.position().positionFrame;
    const { from, ...result } = hear(stage, () => act(stage));
    assertEquals(result, WHOLE);
    assertEquals(from, lands(at));
  });
}

Deno.test("a jump to where nobody was expected to go has to read", async () => {
  await using stage = await openStage();
  stand(stage, { at: s(10) });
  const { inNextPeriod, missing } = hear(stage, () => stage.rig.signal.seek(s(77)));
  assertEquals(inNextPeriod, false);
  assert(missing > 0, "the store does not just hold everything");
});

Deno.test("opening loads around the head, near before far, read by read", async () => {
  const units = 480;
  await using stage = await openStage(units);
  const { rig, timeline } = stage;
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  symbols.lp_store_drop(engine);
  symbols.lp_gate_set(engine, 1);
  const at = s(50);
  signal.seek(at);
  signal.anticipate(anticipate({
    model: timeline.model,
    head: {
      positionFrame: at,
      originFrame: at,
      loop: { enabled: false, startFrame: 0, endFrame: 0 },
    },
    intents: [],
    leadSeconds: 1,
    budgetUnits: Math.floor(units * 31 / 32),
    shapeOf: () => ({ channels: 1, pageFrames: PAGE, sourceFrames: SECONDS * RATE }),
  }));
  const seen = new Set<string>();
  /** Distances of the pages that came with a read. */
  const distances: number[] = [];
  for (let idle = 0; idle < 3;) {
    symbols.lp_step_follow(engine);
    symbols.lp_gate_release(engine, 1);
    idle = symbols.lp_step_fill(engine) > 0 ? 0 : idle + 1;
    let near = Infinity;
    for (const asset of ["a", "b"]) {
      for (let page = 0; page * PAGE < SECONDS * RATE; page++) {
        const frame = page * PAGE;
        if (seen.has(asset + page) || signal.residentFrames(asset, frame, 1) === 0) continue;
        seen.add(asset + page);
        near = Math.min(near, Math.abs(frame + PAGE / 2 - at) / RATE);
      }
    }
    if (near < Infinity) distances.push(near);
  }
  assert(seen.size >= Math.floor(units * 31 / 32), `${seen.size} pages`);
  // The follower's ten seconds come first; then the rings, each after the one within it.
  const ring = (distance: number) => [2, 5, 10, 20, 40].findIndex((far) => distance < far + 0.2);
  const beyond = distances.filter((distance) => distance > 10.2).map(ring);
  assert(beyond.length > 3);
  assertEquals(beyond, beyond.toSorted());
  assert(
    distances.lastIndexOf(Math.min(...distances)) < 4,
    "what is nearest came with the first reads",
  );
  const first = distances.findIndex((distance) => distance > 10.2);
  assert(distances.slice(first).every((distance) => distance > 9.8), "nothing near after far");
});

Deno.test("playing a project larger than the budget from begin to end reads each page once", async () => {
  await using stage = await openStage(300);
  const { rig, timeline, settle } = stage;
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  symbols.lp_store_drop(engine);
  const before = signal.counters();
  const plan = () => {
    const at = signal.position().positionFrame;
    signal.anticipate(anticipate({
      model: timeline.model,
      head: {
        positionFrame: at,
        originFrame: 0,
        loop: { enabled: false, startFrame: 0, endFrame: 0 },
      },
      intents: [],
      ...timeline.landings,
      leadSeconds: 1.5,
      budgetUnits: signal.anticipation().budgetUnits || 290,
      shapeOf: () => ({ channels: 1, pageFrames: PAGE, sourceFrames: SECONDS * RATE }),
    }));
  };
  plan();
  settle();
  signal.play(0);
  const step = 2_048;
  const heard = new Float32Array(Math.floor(SECONDS * RATE / step) * step);
  for (let at = 0; at < heard.length; at += step) {
    if (Math.floor(at / RATE) !== Math.floor((at - step) / RATE)) plan();
    settle();
    heard.set(rig.render(step)[0], at);
  }
  const after = signal.counters();
  assertEquals([after.missing, after.faded], [0, 0]);
  const whole = expected(rig, timeline.model, 0, heard.length);
  assertEquals(firstDifference(heard.subarray(FADE), whole.subarray(FADE)), -1);
  const once = 2 * SECONDS * RATE * 2;
  const again = after.bytesRead - before.bytesRead - once;
  assertEquals(again, 0, `${again / PAGE / 2} pages were read again`);
});

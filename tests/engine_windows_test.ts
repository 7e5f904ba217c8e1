/**
 * Windows of clips go with their clips. The renderer is the native one, single-stepped.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ClipWindowParams, Notification } from "../engine/api.ts";
import { InvalidParams } from "../engine/errors.ts";
import { anchorAt, type ClipRange, followClip, heldOf } from "../engine/pulse/clip_window.ts";
import { ClipWindows } from "../engine/pulse/services/clip_windows.ts";
import { TimelineService } from "../engine/pulse/timeline_service.ts";
import type { Asset, Edit } from "../engine/pulse/types.ts";
import { randomPlanes } from "./support/audio_files.ts";
import { ME } from "./support/engine_place.ts";
import { firstDifference, openRig, type Rig } from "./support/signal_rig.ts";
import { until } from "./support/wait.ts";

const RATE = 48_000;
const PAGE = 8_192;
const PAGES = 60;

const range = (from: number, to: number, assetId = "a"): ClipRange => ({
  assetId,
  from,
  to,
  reach: 0,
});

Deno.test("the window of a clip stays at the clip's edges, keeps its place through trims, and moves along with slips", () => {
  const clip = range(100, 200);
  const moved = (from: number, to: number, ...steps: ClipRange[]) => {
    let anchor = anchorAt(from, to, clip);
    let now = clip;
    return steps.map((step) => {
      anchor = followClip(anchor, now, step);
      now = step;
      const held = heldOf(anchor, now);
      return [held.from, held.to];
    });
  };
  const trims = [range(120, 200), range(120, 140), range(50, 300), range(100, 200)];
  assertEquals(moved(100, 200, ...trims), [[120, 200], [120, 140], [50, 300], [100, 200]], "all");
  assertEquals(moved(0, 999, ...trims), [[120, 200], [120, 140], [50, 300], [100, 200]], "more");
  assertEquals(
    moved(110, 150, ...trims),
    [[120, 150], [120, 140], [110, 150], [110, 150]],
    "within",
  );
  assertEquals(moved(100, 150, ...trims), [[120, 150], [120, 140], [50, 150], [100, 150]], "begin");
  assertEquals(moved(150, 200, ...trims), [[150, 200], [140, 140], [150, 300], [150, 200]], "end");
  const slips = [range(130, 230), range(0, 100), range(100, 200)];
  assertEquals(moved(100, 200, ...slips), [[130, 230], [0, 100], [100, 200]]);
  assertEquals(moved(110, 150, ...slips), [[140, 180], [10, 50], [110, 150]]);
  // Slipped, then cut in front by a ripple that moves the clip, then both undone.
  const mixed = [range(130, 230), range(150, 230), range(130, 230), range(100, 200)];
  assertEquals(
    moved(110, 150, ...mixed),
    [[140, 180], [150, 180], [140, 180], [110, 150]],
  );
});

interface Stage extends AsyncDisposable {
  rig: Rig;
  timeline: TimelineService;
  windows: ClipWindows;
  told: Notification[];
  edit(...edits: Edit[]): void;
  /** Fetches what is wanted, and looks. */
  settle(): void;
  request(params: Partial<ClipWindowParams>): Promise<{ windowId: string; resident: boolean }>;
  /** Pages that stay whatever is dropped. */
  kept(assetId: string): number[];
}

/** Two assets of sixty pages; a clip `c` of pages 10 … 30 of the first. Windows may hold eight tenths of the units. */
async function openStage(units = 200): Promise<Stage> {
  const rig = await openRig({ singleStep: true, manualClock: true, memoryBytes: units * 16_384 });
  for (const id of ["a", "b"]) {
    const planes = randomPlanes(id.charCodeAt(0), 1, PAGES * PAGE, "s16");
    await rig.add(id, { planes, encoding: "s16" });
  }
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  const told: Notification[] = [];
  const windows = new ClipWindows({
    signal: () => signal,
    asset: () => ({ lengthSamples: PAGES * PAGE }) as Asset,
    model: () => timeline.model,
    hold: () =>
      Promise.resolve({ sampleRate: RATE, lengthSamples: PAGES * PAGE, release: () => {} }),
    notify: (notification) => void told.push(notification),
  });
  const timeline = TimelineService.inMemory(RATE, {
    onCommit: ({ model, revision, map, changes }) => {
      signal.publish(model, revision, map);
      windows.follow(changes);
    },
  });
  timeline.edit(
    [{
      op: "track.add",
      track: {
        trackId: "t",
        clips: [{
          clipId: "c",
          assetId: "a",
          startFrame: 0,
          lengthFrames: 20 * PAGE,
          sourceFrame: 10 * PAGE,
        }],
      },
    }],
    {},
    ME,
  );
  const settle = () => {
    for (let round = 0; round < 3; round++) {
      windows.tick();
      while (symbols.lp_step_fill(engine) > 0);
    }
    windows.tick();
  };
  return {
    rig,
    timeline,
    windows,
    told,
    settle,
    edit: (...edits) => void timeline.edit(edits, {}, ME),
    request: (params) =>
      windows.request({
        clipId: "c",
        startSample: 0,
        endSample: PAGES * PAGE,
        cohort: "anticipative",
        ...params,
      }, ME),
    kept(assetId) {
      symbols.lp_store_drop(engine);
      return Array.from({ length: PAGES }, (_, page) => page).filter((page) =>
        signal.residentFrames(assetId, page * PAGE, PAGE) === PAGE
      );
    },
    async [Symbol.asyncDispose]() {
      windows[Symbol.dispose]();
      await rig[Symbol.asyncDispose]();
    },
  };
}

const pages = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const names = (told: readonly Notification[]) =>
  told.map(({ method, params }) =>
    method === "clipWindow.changed"
      ? (params as { window: { state: string } }).window.state
      : method.split(".")[1]
  );

Deno.test("the window of a clip holds what the clip plays of it, and follows trim, slip, split and undo", async () => {
  await using stage = await openStage();
  const { windows, timeline, told } = stage;
  const { windowId, resident } = await stage.request({});
  assertEquals(resident, false);
  stage.settle();
  assertEquals(stage.kept("a"), pages(10, 30));
  assertEquals(windows.list(), [{
    windowId,
    clipId: "c",
    assetId: "a",
    startSample: 10 * PAGE,
    endSample: 30 * PAGE,
    state: "resident",
  }]);
  assertEquals(names(told.splice(0)), ["prefetchComplete"]);

  const steps: [name: string, act: () => void, from: number, to: number][] = [
    ["trim", () => stage.edit({ op: "clip.trim", clipId: "c", startFrame: 4 * PAGE }), 14, 30],
    ["grow", () => stage.edit({ op: "clip.trim", clipId: "c", endFrame: 40 * PAGE }), 14, 50],
    ["slip", () => stage.edit({ op: "clip.slip", clipId: "c", sourceFrame: 2 * PAGE }), 2, 38],
    ["split", () => stage.edit({ op: "clip.split", clipId: "c", atFrame: 8 * PAGE }), 2, 6],
    ["undo of the split", () => timeline.undo({}, ME), 2, 38],
    ["undo of the slip", () => timeline.undo({}, ME), 14, 50],
    [
      "cut",
      () =>
        stage.edit({
          op: "range.delete",
          startFrame: 0,
          endFrame: 10 * PAGE,
          ripple: true,
        }),
      20,
      50,
    ],
    ["undo of the cut", () => timeline.undo({}, ME), 14, 50],
  ];
  for (const [name, act, from, to] of steps) {
    act();
    stage.settle();
    assertEquals(stage.kept("a"), pages(from, to), name);
    const [{ startSample, endSample, state }] = windows.list();
    assertEquals([startSample, endSample, state], [from * PAGE, to * PAGE, "resident"], name);
    // Told where it went, and once that all of it is there; what was there already is told as resident at once.
    const said = names(told.splice(0));
    assertEquals(said.at(-1), "prefetchComplete", name);
    assertEquals(said.length, 2, `${name}: ${said}`);
  }
  stage.edit({ op: "clip.move", clipId: "c", startFrame: 100 * PAGE });
  stage.edit({ op: "clip.set", clipId: "c", set: { gainDb: -6 } });
  stage.settle();
  assertEquals(told, [], "what leaves the clip's samples as they are is nothing to tell");
});

Deno.test("a window ends with its clip, and an undo brings back both", async () => {
  await using stage = await openStage();
  const { windows, timeline, told } = stage;
  const { windowId } = await stage.request({ startSample: 12 * PAGE, endSample: 20 * PAGE });
  stage.settle();
  for (
    const gone of [
      { op: "clip.remove", clipId: "c" },
      { op: "track.remove", trackId: "t" },
      { op: "segment.delete", clipId: "c" },
    ] as const
  ) {
    told.length = 0;
    stage.edit(gone);
    stage.settle();
    assertEquals(stage.kept("a"), [], gone.op);
    assertEquals([windows.list()[0].state, names(told)], ["absent", ["absent"]], gone.op);
    timeline.undo({}, ME);
    await until(() => windows.list()[0].state !== "absent", "it is back");
    stage.settle();
    assertEquals(stage.kept("a"), pages(12, 20), gone.op);
    assertEquals(names(told), ["absent", "filling", "prefetchComplete"], gone.op);
  }
  stage.edit({ op: "clip.remove", clipId: "c" });
  windows.release(windowId);
  timeline.undo({}, ME);
  stage.settle();
  assertEquals([stage.kept("a"), windows.list()], [[], []], "one that was released stays away");
});

Deno.test("a clip that is given another asset takes its window there", async () => {
  await using stage = await openStage();
  await stage.request({ startSample: 12 * PAGE, endSample: 20 * PAGE });
  stage.settle();
  stage.edit({ op: "clip.set", clipId: "c", set: { assetId: "b" } });
  await until(() => stage.windows.list()[0].assetId === "b", "the window has moved");
  stage.settle();
  assertEquals([stage.kept("a"), stage.kept("b")], [[], pages(12, 20)]);
  stage.timeline.undo({}, ME);
  await until(() => stage.windows.list()[0].assetId === "a", "the window is back");
  stage.settle();
  assertEquals([stage.kept("a"), stage.kept("b")], [pages(12, 20), []]);
});

Deno.test("a window that grows beyond the budget holds nothing until there is room", async () => {
  await using stage = await openStage(50); // Windows may hold 40.
  const { windows, told } = stage;
  const other = await stage.request({ clipId: undefined, assetId: "b", endSample: 15 * PAGE });
  await stage.request({});
  stage.settle();
  told.length = 0;
  stage.edit({ op: "clip.trim", clipId: "c", endFrame: 30 * PAGE });
  stage.settle();
  assertEquals([stage.kept("a"), stage.kept("b")], [[], pages(0, 15)]);
  assertEquals([windows.list()[1].state, names(told)], ["refused", ["refused"]]);
  windows.release(other.windowId);
  for (let tick = 0; tick < 10; tick++) windows.tick();
  await until(() => windows.list()[0].state !== "refused", "it is tried again");
  stage.settle();
  assertEquals(stage.kept("a"), pages(10, 40));
  assertEquals(names(told), ["refused", "filling", "prefetchComplete"]);
});

Deno.test("a window of what its clip does not play is refused, with what it plays", async () => {
  await using stage = await openStage();
  const error = await assertRejects(
    () => stage.request({ startSample: 40 * PAGE, endSample: 41 * PAGE }),
    InvalidParams,
    `it plays ${10 * PAGE} … ${30 * PAGE}`,
  );
  assertEquals((error as InvalidParams).path, ["startSample"]);
  assertEquals(stage.windows.list(), []);
});

Deno.test("a clip plays from its window with no disk at all, and from the disk again when the window is released", async () => {
  await using stage = await openStage();
  const { rig, windows } = stage;
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  const { windowId } = await stage.request({ cohort: "realtime" });
  stage.settle();
  const play = (steps: () => void) => {
    symbols.lp_store_drop(engine);
    const before = signal.counters();
    signal.play(0);
    steps();
    const heard = new Float32Array(20 * PAGE);
    for (let at = 0; at < heard.length; at += 512) {
      steps();
      heard.set(rig.render(512)[0], at);
    }
    const after = signal.counters();
    signal.stop();
    rig.render(1_024);
    return {
      missing: after.missing - before.missing,
      reads: after.reads - before.reads,
      differsAt: firstDifference(
        heard.subarray(1_024),
        rig.sources.get("a")![0].subarray(10 * PAGE + 1_024, 30 * PAGE),
      ),
    };
  };
  symbols.lp_gate_set(engine, 1);
  const cached = play(() => symbols.lp_step_follow(engine));
  assertEquals(cached, { missing: 0, reads: 0, differsAt: -1 });
  assertEquals(windows.list()[0].state, "resident");
  windows.release(windowId);
  symbols.lp_gate_set(engine, 0);
  const streamed = play(() => {
    symbols.lp_step_follow(engine);
    while (symbols.lp_step_fill(engine) > 0);
  });
  assert(streamed.reads > 0);
  assertEquals([streamed.missing, streamed.differsAt], [0, -1]);
  symbols.lp_gate_set(engine, 1);
  assert(play(() => symbols.lp_step_follow(engine)).missing > 0, "without either it is not heard");
  symbols.lp_gate_set(engine, 0);
});

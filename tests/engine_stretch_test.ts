/**
 * Clips that keep their pitch at another speed: which renders they want and when, and how they are heard.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Notification } from "../engine/api.ts";
import { EngineError } from "../engine/errors.ts";
import { Stretch } from "../engine/media/stretch.ts";
import { renderKey } from "../engine/media/stretch_cache.ts";
import { type ClipBody, sliceBody } from "../engine/pulse/clip_body.ts";
import { demandOf } from "../engine/pulse/demand.ts";
import { stretchesWithin } from "../engine/pulse/readiness.ts";
import type { AssetEntry } from "../engine/pulse/services/asset_entry.ts";
import { type ClipPipeline, PitchRenders } from "../engine/pulse/services/pitch_renders.ts";
import { TimelineService } from "../engine/pulse/timeline_service.ts";
import { ClipWindows } from "../engine/pulse/services/clip_windows.ts";
import type { Asset, ChangedClip, Edit } from "../engine/pulse/types.ts";
import { assetOfSource, playedFrom, renderedBody, renderId } from "../engine/signal/played.ts";
import type { SourceInfo } from "../engine/signal/signal_api.ts";
import { ensureLibrary } from "../ffi/build.ts";
import { makeWav, randomPlanes } from "./support/audio_files.ts";
import { EnginePlace, finished, lay, ME } from "./support/engine_place.ts";
import { FakeSignal } from "./support/fake_signal.ts";
import { FakeStretch } from "./support/fake_stretch.ts";
import { openScans, readAll } from "./support/media.ts";
import {
  clip,
  firstDifference,
  mixOf,
  openRig,
  type Rig,
  type TestClip,
  track,
} from "./support/signal_rig.ts";
import { until } from "./support/wait.ts";

const RATE = 48_000;
const FADE = 720;

// ---- which renders are wanted ----

/** Renders over a timeline of its own; assets `a`, `b` … are known. */
function openRenders(edits: readonly Edit[] = []) {
  const told: ClipPipeline[] = [];
  const opened: string[] = [];
  const closed: string[] = [];
  const assets = new Map<string, AssetEntry>();
  for (const assetId of ["a", "b", "c"]) {
    assets.set(assetId, {
      asset: { assetId, path: `/${assetId}.wav`, hash: null, generation: 1 },
      identity: { inode: 1, bytes: 2, mtimeMs: 3 },
    } as AssetEntry);
  }
  const signal = new FakeSignal();
  const stale = new Set<string>();
  signal.isStale = (...[sourceId]: unknown[]) => stale.has(sourceId as string);
  signal.openSource = (...[sourceId]: unknown[]) => {
    opened.push(sourceId as string);
    return Promise.resolve(
      { frames: 1_000, sampleRate: RATE, channels: 2, device: 7 } as SourceInfo,
    );
  };
  signal.closeSource = (...[sourceId]: unknown[]) => void closed.push(sourceId as string);
  const stretch = new FakeStretch();
  const head = { frame: 0 };
  const played: string[][] = [];
  const timeline = TimelineService.inMemory(RATE, {
    onCommit: ({ changes }) => renders.follow(changes),
  });
  const renders = new PitchRenders({
    stretch,
    signal: () => signal,
    model: () => timeline.model,
    headFrame: () => head.frame,
    asset: (assetId) => assets.get(assetId),
    notify: ({ method, params }: Notification) => {
      assertEquals(method, "clip.pipelineUpdated");
      told.push(params as ClipPipeline);
    },
    onPlayed: (clipIds) => void played.push([...clipIds]),
  });
  const edit = (...edits: Edit[]) => void timeline.edit(edits, {}, ME);
  edit({ op: "track.add", track: { trackId: "t" } }, ...edits);
  const stateOf = (clipId: string) => told.findLast((one) => one.clipId === clipId)?.state;
  return {
    renders,
    stretch,
    timeline,
    assets,
    told,
    opened,
    closed,
    stale,
    played,
    head,
    edit,
    stateOf,
    [Symbol.dispose]: () => renders[Symbol.dispose](),
  };
}

/** Adds a clip of a second. */
function add(clipId: string, assetId: string, second: number, rate = 1): Edit {
  return {
    op: "clip.add",
    trackId: "t",
    clip: {
      clipId,
      assetId,
      startFrame: second * RATE,
      lengthFrames: RATE,
      rate,
      speedMode: "maintainPitch",
    },
  };
}

Deno.test("a clip wants a render where it keeps its pitch at another speed, and is told how far it is", async () => {
  using place = openRenders();
  const { stretch, edit, told, renders, opened, played } = place;
  edit(add("plain", "a", 0), add("c", "a", 1, 1.5));
  await until(() => stretch.underway().length === 1, "it is rendered");
  const [asked] = stretch.asked;
  assertEquals(asked.subject, {
    path: "/a.wav",
    hash: null,
    state: { inode: 1, bytes: 2, mtimeMs: 3 },
    rate: 1.5,
  });
  asked.progress(0.25);
  const id = renderId("a", 1.5);
  assertEquals([renders.source(id), renders.pipelines()], [undefined, [
    { clipId: "c", state: "rendering", progress: 0.25 },
  ]]);
  asked.finish();
  await until(() => place.stateOf("c") === "ready", "it is ready");
  assertEquals(told, [
    { clipId: "c", state: "queued" },
    { clipId: "c", state: "rendering", progress: 0 },
    { clipId: "c", state: "rendering", progress: 0.25 },
    { clipId: "c", state: "ready" },
  ]);
  assertEquals([opened, played, renders.pipelines()], [[id], [["c"]], []]);
  assertEquals(renders.source(id)?.bytesPerFrame, 8);
  // Parts of it have it already, and so has another clip at that speed.
  edit(
    { op: "clip.split", clipId: "c", atFrame: RATE + 100, newClipId: "d" },
    add("e", "a", 5, 1.5),
  );
  await until(() => place.stateOf("e") === "ready", "others have it at once");
  assertEquals([place.stateOf("d"), stretch.asked.length, opened.length], ["ready", 1, 1]);
});

Deno.test("a render that the cache has is opened and not made", async () => {
  using place = openRenders();
  place.stretch.cached.add("/a.wav at 0.5");
  place.edit(add("c", "a", 0, 0.5));
  await until(() => place.stateOf("c") === "ready", "it is ready");
  assertEquals(place.stretch.asked, []);
  assertEquals(place.told.map(({ state }) => state), ["queued", "ready"]);
});

Deno.test("what a timeline wants when it is opened is looked for, save what changes meanwhile", async () => {
  using place = openRenders();
  const { renders, stretch, timeline } = place;
  for (const rate of [0.5, 0.75, 1.5]) stretch.cached.add(`/a.wav at ${rate}`);
  using other = new PitchRenders({
    stretch,
    signal: () => new FakeSignal(),
    model: () => timeline.model,
    headFrame: () => 0,
    asset: () => undefined,
    notify: () => {},
    onPlayed: () => {},
  });
  place.edit(add("c", "a", 0, 0.5), add("d", "a", 1, 0.75));
  const begun = other.begin();
  const clip = { clipId: "c", assetId: "a", rate: 1.5, speedMode: "maintainPitch", trackId: "t" };
  other.follow(
    {
      removed: { trackIds: [], clipIds: ["d"] },
      clips: [clip],
    } as unknown as Parameters<PitchRenders["follow"]>[0],
  );
  await begun;
  assertEquals(other.pipelines(), [{ clipId: "c", state: "queued" }]);
  await until(() => place.stateOf("d") === "ready", "the other one has them all");
  assertEquals(renders.pipelines(), []);
});

Deno.test("a render that no clip wants any more is cancelled, a ready one stays for an undo", async () => {
  using place = openRenders();
  const { stretch, edit, timeline, closed, opened } = place;
  edit(add("c", "a", 0, 1.5));
  await until(() => stretch.underway().length === 1, "it is rendered");
  edit({ op: "clip.set", clipId: "c", set: { rate: 1.25 } });
  assertEquals(stretch.asked[0].state, "cancelled");
  await until(() => stretch.underway()[0] === 1.25, "the other one is");
  stretch.asked[1].finish();
  await until(() => place.stateOf("c") === "ready", "it is ready");
  edit({ op: "track.remove", trackId: "t" });
  assertEquals([closed, stretch.held.get("/a.wav at 1.25")], [[], 1]);
  timeline.undo({}, ME);
  await until(() => place.stateOf("c") === "ready", "it is there at once");
  assertEquals([opened.length, stretch.asked.length], [1, 2]);
  // Many others later it is closed, and given back.
  edit({ op: "clip.remove", clipId: "c" });
  for (let i = 0; i < 70; i++) {
    const rate = 0.5 + i / 1024;
    stretch.cached.add(`/b.wav at ${rate}`);
    edit(add(`x${i}`, "b", 2 + i, rate));
  }
  await until(() => place.stateOf("x69") === "ready", "they are ready");
  assertEquals(closed, []);
  for (let i = 0; i < 70; i++) edit({ op: "clip.remove", clipId: `x${i}` });
  assertEquals([closed[0], stretch.held.get("/a.wav at 1.25")], [renderId("a", 1.25), 0]);
  assert(closed.length < 70, "the latest stay");
});

Deno.test("what is near the head comes first, what is looked at before it, what a job needs before all", async () => {
  using place = openRenders();
  const { stretch, edit, head, renders } = place;
  head.frame = 100 * RATE;
  edit(
    add("far", "a", 400, 1.125),
    add("behind", "a", 80, 1.25),
    add("next", "a", 110, 1.375),
    add("seen", "a", 900, 1.625),
    add("needed", "b", 2_000, 1.5),
  );
  renders.hint(ME, { visible: { startFrame: 890 * RATE, endFrame: 910 * RATE } });
  const order: number[] = [];
  const stop = new AbortController();
  const finishFirst = async () => {
    await until(() => stretch.underway().length > 0, "another is rendered");
    const first = stretch.asked.filter(({ state }) => state === "underway")
      .sort((a, b) => b.priority - a.priority)[0];
    order.push(first.subject.rate);
    first.finish();
    await until(() => stretch.cached.size === order.length, "it is there");
  };
  await finishFirst();
  const body = place.timeline.model.tracks[0].blocks.flatMap(({ block }) => block.clips)
    .find(({ body }) => body.clipId === "needed")!.body;
  const needed = renders.need([body], stop.signal);
  // One may be under way already: what is more urgent overtakes it.
  await until(() => stretch.underway().includes(1.5), "what is needed is begun");
  for (let i = 0; i < 4; i++) await finishFirst();
  assertEquals(order, [1.625, 1.5, 1.375, 1.25, 1.125]);
  (await needed)[Symbol.dispose]();
});

Deno.test("a render that fails says why, and is tried again when its file comes back or a job needs it", async () => {
  using place = openRenders();
  const { stretch, edit, told, renders } = place;
  edit(add("c", "a", 0, 1.5));
  await until(() => stretch.underway().length === 1, "it is rendered");
  stretch.asked[0].fail(new EngineError("asset.unreadable", "Cannot read it: plug the disk in"));
  await until(() => place.stateOf("c") === "failed", "it has failed");
  const error = { code: "asset.unreadable", message: "Cannot read it: plug the disk in" };
  assertEquals(told.at(-1), { clipId: "c", state: "failed", error });
  assertEquals(renders.pipelines(), [{ clipId: "c", state: "failed", error }]);
  renders.bound("a");
  await until(() => stretch.asked.length === 2, "it is tried again");
  stretch.asked[1].fail(new Error("the worker ended"));
  await until(() => place.stateOf("c") === "failed", "it has failed again");
  assertEquals(told.at(-1)?.error, {
    code: "asset.unreadable",
    message: "Cannot keep the pitch of a clip: the worker ended",
  });
  const body = place.timeline.model.tracks[0].blocks[0].block.clips[0].body;
  const stop = new AbortController();
  const progress: number[] = [];
  const needed = renders.need([body], stop.signal, (done) => progress.push(done));
  await until(() => stretch.asked.length === 3, "a job tries again");
  stretch.asked[2].progress(0.5);
  stretch.asked[2].finish();
  (await needed)[Symbol.dispose]();
  assert(progress.includes(0.5));
  // A job that needs what cannot be had fails with what it says; one that is cancelled ends.
  edit({ op: "clip.set", clipId: "c", set: { rate: 2 } });
  const other = place.timeline.model.tracks[0].blocks[0].block.clips[0].body;
  const refused = assertRejects(() => renders.need([other], stop.signal), EngineError, "no room");
  await until(() => stretch.underway().length === 1, "it is rendered");
  stretch.asked[3].fail(new EngineError("cache.budget", "no room"));
  await refused;
  edit({ op: "clip.set", clipId: "c", set: { rate: 3 } });
  const third = place.timeline.model.tracks[0].blocks[0].block.clips[0].body;
  const aborted = assertRejects(() => renders.need([third], stop.signal), Error, "enough");
  stop.abort(new Error("enough"));
  await aborted;
});

Deno.test("another file at the path is rendered anew, and the old render is heard no more", async () => {
  using place = openRenders();
  const { stretch, edit, assets, renders, closed } = place;
  edit(add("c", "a", 0, 1.5));
  await until(() => stretch.underway().length === 1, "it is rendered");
  stretch.asked[0].finish();
  await until(() => place.stateOf("c") === "ready", "it is ready");
  renders.bound("a");
  assertEquals(closed, [], "the same file, opened once more");
  const entry = assets.get("a")!;
  const identity = { ...entry.identity, inode: 9 };
  assets.set("a", { ...entry, asset: { ...entry.asset, generation: 2 }, identity });
  stretch.cached.clear();
  renders.bound("a");
  assertEquals([closed, place.stateOf("c")], [[renderId("a", 1.5)], "queued"]);
  assertEquals([renders.source(renderId("a", 1.5)), place.played.length], [undefined, 2]);
  await until(() => stretch.underway().length === 1, "it is rendered anew");
  assertEquals(stretch.asked[1].subject.state.inode, 9);
  // Changed once more while it is rendered: what comes of that is nobody's.
  assets.set("a", { ...entry, asset: { ...entry.asset, generation: 3 } });
  renders.bound("a");
  assertEquals(stretch.asked[1].state, "cancelled");
});

Deno.test("a render whose file is gone is made anew", async () => {
  using place = openRenders();
  const { stretch, edit, stale, renders, closed } = place;
  edit(add("c", "a", 0, 1.5));
  await until(() => stretch.underway().length === 1, "it is rendered");
  stretch.asked[0].finish();
  await until(() => place.stateOf("c") === "ready", "it is ready");
  renders.tick();
  assertEquals(closed, []);
  stretch.cached.clear();
  stale.add(renderId("a", 1.5));
  renders.tick();
  assertEquals([closed, place.stateOf("c")], [[renderId("a", 1.5)], "queued"]);
  stale.clear();
  await until(() => stretch.underway().length === 1, "it is rendered again");
});

Deno.test("a hash that becomes known names the renders there are, and is asked for with the next", async () => {
  using place = openRenders();
  const { stretch, edit, assets, renders } = place;
  edit(add("c", "a", 0, 1.5));
  await until(() => stretch.underway().length === 1, "it is rendered");
  const entry = assets.get("a")!;
  assets.set("a", { ...entry, asset: { ...entry.asset, hash: "abc" } });
  renders.hashed("a");
  assertEquals(stretch.learnt, []);
  stretch.asked[0].finish();
  await until(() => place.stateOf("c") === "ready", "it is ready");
  assertEquals(stretch.learnt, ["/a.wav at 1.5"]);
  edit(add("d", "a", 3, 1.25));
  await until(() => stretch.underway().length === 1, "it is rendered");
  assertEquals(stretch.asked[1].subject.hash, "abc");
});

// ---- what is played ----

function bodyOf(more: Partial<ClipBody>): ClipBody {
  return Object.freeze({
    clipId: "c",
    assetId: "a",
    lengthFrames: 1_000,
    sourceFrame: 0,
    gainDb: 0,
    fadeInFrames: 0,
    fadeOutFrames: 0,
    rate: 1,
    speedMode: "maintainPitch",
    ...more,
  });
}

Deno.test("parts of a clip play the frames of its render that the whole plays, at any rate and backwards", () => {
  for (const rate of [1 / 16, 0.3, 0.5, 48_000 / 44_100, 1.1, 1.5, Math.PI, 16]) {
    for (const reverse of [false, true]) {
      for (const sourceFrame of [0, 777, 1_000.5, 123_456.7]) {
        const body = bodyOf({ rate, sourceFrame, ...(reverse && { reverse }) });
        const whole = renderedBody(body)!;
        assertEquals([whole.rate, whole.assetId], [1, renderId("a", rate)]);
        for (const at of [1, 333, 500, 999]) {
          const right = renderedBody(sliceBody(body, at, 1_000 - at))!;
          const left = renderedBody(sliceBody(body, 0, at))!;
          const [first, second] = reverse ? [right, left] : [left, right];
          assertEquals(first.sourceFrame, whole.sourceFrame);
          assertEquals(second.sourceFrame, whole.sourceFrame + (reverse ? 1_000 - at : at));
        }
      }
    }
  }
});

Deno.test("what is read ahead, warned of and shown as ready is what is played", () => {
  const body = bodyOf({ rate: 2, sourceFrame: 1_000, lengthFrames: 48_000 });
  const block = { clips: [{ at: 0, body }], maxEnd: 48_000 };
  const tracks = [{
    trackId: "t",
    name: "",
    gainDb: 0,
    pan: 0,
    mute: false,
    solo: false,
    blocks: [{ start: 100, block }],
  }];
  const id = renderId("a", 2);
  assertEquals([assetOfSource(id), assetOfSource("a")], ["a", "a"]);
  const played = playedFrom((sourceId) => sourceId === id);
  const cost = {
    sampleRate: RATE,
    lengthSamples: 1e6,
    bytesPerFrame: 8,
    compressed: false,
    volume: "v",
  };
  const head = { positionFrame: 0, loop: { enabled: false, startFrame: 0, endFrame: 0 } };
  // deno-lint-ignore no-explicit-any -- of a track only what is read here
  const model = { sampleRate: RATE, tracks } as any;
  const of = (options: object) =>
    demandOf(model, head, { costOf: () => cost, ...options }).assets
      .map(({ assetId, frames }) => [assetId, frames]);
  assertEquals(of({}), [["a", 96_000]]);
  assertEquals(of({ played }), [[id, 48_000]]);
  const [stretch] = stretchesWithin(model.tracks[0], 0, 1e6, played);
  assertEquals([stretch.assetId, stretch.sourceFrame, stretch.step], [id, 500, 1]);
});

/** A rig with a sound of two channels, and its render. */
async function openStretched(rate: number): Promise<Rig & { rendered: Float32Array[] }> {
  const rig = await openRig({ singleStep: true, manualClock: true });
  await rig.add("a", { planes: randomPlanes(1, 2, 60_000, "s16"), encoding: "s16" });
  const path = `${rig.folder}/a.wav`;
  const { ino, size, mtime } = await Deno.stat(path);
  const library = await ensureLibrary();
  const cacheDir = `${rig.folder}/cache`;
  await using stretch = new Stretch({ libraryPath: () => Promise.resolve(library), cacheDir });
  const state = { inode: ino!, bytes: size, mtimeMs: mtime!.getTime() };
  const file = await stretch.render({ path, hash: null, state, rate }).done;
  await using scans = await openScans();
  const rendered = readAll(scans, file.path);
  await Deno.rename(file.path, `${rig.folder}/render.wav`);
  return { ...rig, rendered };
}

let revision = 0;

function play(rig: Rig, clips: readonly TestClip[], from: number, frames: number) {
  rig.signal.stop();
  rig.render(2 * FADE);
  rig.signal.publish(mixOf([track("t", [...clips])]), ++revision, []);
  rig.signal.play(from);
  return playOn(rig, frames);
}

function playOn(rig: Rig, frames: number): [Float32Array, Float32Array] {
  const out: [Float32Array, Float32Array] = [new Float32Array(frames), new Float32Array(frames)];
  for (let at = 0; at < frames;) {
    rig.settle();
    const sides = rig.render(Math.min(256, frames - at));
    sides.forEach((side, i) => out[i].set(side, at));
    at += sides[0].length;
  }
  return out;
}

Deno.test("a clip is heard with the pitch of its speed until its render is open, and goes over to that in one fade", async () => {
  const rate = 1.25;
  await using rig = await openStretched(rate);
  const speed = { rate, sourceFrame: 1_000.4, speedMode: "maintainPitch" } as const;
  const stretchedClip = clip("c", "a", 0, 20_000, speed);
  const [before] = play(rig, [{ ...stretchedClip, speedMode: "matchSpeed" }], 0, 20_000);
  const [begin] = play(rig, [stretchedClip], 0, 3_000);
  assertEquals(firstDifference(begin, before.subarray(0, 3_000)), -1, "as at its speed");
  await rig.signal.openSource(renderId("a", rate), `${rig.folder}/render.wav`);
  // The source was opened: a publication of its own follows, without an edit.
  const { made } = rig.signal.position();
  await until(() => rig.signal.position().made > made, "it is published");
  const [after] = playOn(rig, 6_000);
  const first = Math.round(1_000.4 / rate);
  const expected = rig.rendered[0].subarray(first + 3_000, first + 9_000);
  const gone = firstDifference(after.subarray(FADE), expected.subarray(FADE));
  assertEquals(gone, -1, "the render after a fade");
  for (let i = 0; i < FADE; i++) {
    const [old, now] = [before[3_000 + i], expected[i]];
    const [low, high] = [Math.min(old, now) - 1e-6, Math.max(old, now) + 1e-6];
    assert(after[i] >= low && after[i] <= high, `frame ${i} lies between both`);
  }
  // Closed again, it goes back.
  rig.signal.closeSource(renderId("a", rate));
  const closed = rig.signal.position().made;
  await until(() => rig.signal.position().made > closed, "that is published too");
  const [back] = playOn(rig, 6_000);
  assertEquals(firstDifference(back.subarray(FADE), before.subarray(9_000 + FADE, 15_000)), -1);
  const { missing, faded } = rig.signal.counters();
  assertEquals([missing, faded], [0, 0]);
});

Deno.test("splits, trims and slips of a clip that is heard from its render change no sample that stays", async () => {
  const rate = 0.8;
  await using rig = await openStretched(rate);
  await rig.signal.openSource(renderId("a", rate), `${rig.folder}/render.wav`);
  for (const reverse of [false, true]) {
    const speed = { rate, sourceFrame: 2_000.6, speedMode: "maintainPitch" } as const;
    const whole = clip("c", "a", 500, 30_000, { ...speed, ...(reverse && { reverse }) });
    const [left, right] = play(rig, [whole], 0, 31_000);
    const first = Math.round(2_000.6 / rate);
    const plane = rig.rendered[0].slice(first, first + 30_000);
    if (reverse) plane.reverse();
    assertEquals(firstDifference(left.subarray(500, 30_500), plane), -1, "the render itself");
    const { startFrame, ...body } = whole;
    const cuts = [0, 1, 777, 4_096, 15_001, 29_999, 30_000];
    const parts = cuts.slice(1).map((end, i) => {
      const begin = cuts[i];
      const part = sliceBody(body, begin, end - begin, {}, { clipId: `c${i}` });
      return { ...part, startFrame: startFrame + begin };
    });
    const cut = play(rig, parts, 0, 31_000);
    assertEquals(firstDifference(cut[0], left), -1, "cut into parts, left");
    assertEquals(firstDifference(cut[1], right), -1, "cut into parts, right");
    // A part alone has the frames of the whole where it lies; slipped, those from elsewhere.
    const [trimmed] = play(rig, [parts[3]], 0, 31_000);
    const [from, to] = [500 + cuts[3], 500 + cuts[4]];
    assertEquals(firstDifference(trimmed.subarray(from, to), left.subarray(from, to)), -1);
    const slipped = { ...parts[3], sourceFrame: parts[3].sourceFrame + 800 };
    const [other] = play(rig, [slipped], 0, 31_000);
    const by = reverse ? -1_000 : 1_000;
    assertEquals(
      firstDifference(other.subarray(from, to), left.subarray(from + by, to + by)),
      -1,
      "slipped",
    );
  }
});

Deno.test("the window of a clip holds what the clip plays: its asset, then its render", async () => {
  const page = 8_192;
  const units = 200;
  await using rig = await openRig({
    singleStep: true,
    manualClock: true,
    memoryBytes: units * 16_384,
  });
  const { signal } = rig;
  const { symbols, engine } = signal.native;
  const rate = 2;
  const id = renderId("a", rate);
  const sound = (seed: number, frames: number) => ({
    planes: randomPlanes(seed, 1, frames, "s16"),
    encoding: "s16" as const,
  });
  await rig.add("a", sound(1, 40 * page));
  let isOpen = false;
  const timeline = TimelineService.inMemory(RATE);
  const shape = { sampleRate: RATE, lengthSamples: 40 * page };
  using windows = new ClipWindows({
    signal: () => signal,
    asset: () => shape as Asset,
    model: () => timeline.model,
    hold: () => Promise.resolve({ ...shape, release: () => {} }),
    played: (body) => playedFrom(() => isOpen)(body),
    notify: () => {},
  });
  timeline.edit(
    [{ op: "track.add", track: { trackId: "t" } }, {
      op: "clip.add",
      trackId: "t",
      clip: {
        clipId: "c",
        assetId: "a",
        startFrame: 0,
        lengthFrames: 5 * page,
        sourceFrame: 10 * page,
        rate,
        speedMode: "maintainPitch",
      },
    }],
    {},
    ME,
  );
  const kept = (sourceId: string, pages: number) => {
    for (let round = 0; round < 3; round++) {
      windows.tick();
      while (symbols.lp_step_fill(engine) > 0);
    }
    symbols.lp_store_drop(engine);
    const numbers = Array.from({ length: pages }, (_, i) => i);
    return numbers.filter((i) => signal.residentFrames(sourceId, i * page + 4_000, 1) > 0);
  };
  const [from, to] = [0, 40 * page];
  const params = { clipId: "c", startSample: from, endSample: to, cohort: "anticipative" } as const;
  await windows.request(params, ME);
  const ofAsset = kept("a", 40);
  assert(ofAsset.includes(10) && ofAsset.includes(19) && !ofAsset.includes(5), `${ofAsset}`);
  await rig.add(id, sound(2, 20 * page));
  isOpen = true;
  windows.playOther(new Set(["c"]));
  const ofRender = kept(id, 20);
  for (const i of [5, 6, 7, 8, 9]) assert(ofRender.includes(i), `${ofRender}`);
  assert(!ofRender.includes(3) && !ofRender.includes(11), `${ofRender}`);
  assertEquals(kept("a", 40), [], "of the asset nothing is held any more");
  // It goes with the clip, in what that plays.
  timeline.edit([{ op: "clip.slip", clipId: "c", sourceFrame: 20 * page }], {}, ME);
  windows.follow({
    removed: { trackIds: [], clipIds: [] },
    shifted: [],
    tracks: [],
    clips: [{ clipId: "c" } as ChangedClip],
  });
  const slipped = kept(id, 20);
  for (const i of [10, 11, 12, 13, 14]) assert(slipped.includes(i), `${slipped}`);
  assert(!slipped.includes(7), `${slipped}`);
});

// ---- the engine as a whole ----

/** A mono sound of two seconds, laid on the timeline. */
async function openWithSound(place: EnginePlace) {
  const path = await place.wav("a.wav", {
    planes: randomPlanes(5, 2, 96_000, "s16"),
    encoding: "s16",
  });
  const opened = await place.open();
  const asset = await opened.engine.assets.register(path, undefined, ME);
  opened.engine.timeline.edit(lay(asset), {}, ME);
  return { ...opened, asset, path };
}

function pipelines(notices: readonly Notification[], clipId: string): ClipPipeline["state"][] {
  const states = notices.filter(({ method }) => method === "clip.pipelineUpdated")
    .map(({ params }) => params as ClipPipeline)
    .filter((one) => one.clipId === clipId).map(({ state }) => state);
  return states.filter((state, i) => state !== states[i - 1]);
}

const keepPitch = (clipId: string, rate: number): Edit => ({
  op: "clip.set",
  clipId,
  set: { rate, speedMode: "maintainPitch" },
});

/** Files of renders, by name. */
function rendersIn(place: EnginePlace): string[] {
  return [...Deno.readDirSync(`${place.base}/cache/stretch`)].map(({ name }) => name)
    .filter((name) => name.endsWith(".wav")).sort();
}

function floatsOf(path: string): Float32Array {
  const bytes = Deno.readFileSync(path);
  const view = new DataView(bytes.buffer);
  for (let at = 12;;) {
    const size = view.getUint32(at + 4, true);
    if (String.fromCharCode(...bytes.subarray(at, at + 4)) === "data") {
      return new Float32Array(bytes.slice(at + 8, at + 8 + size).buffer);
    }
    at += 8 + size;
  }
}

Deno.test("a project's renders are made once, are what is exported, and are there again after a restart", async () => {
  await using place = await EnginePlace.make();
  const made: string[] = [];
  let first: Float32Array;
  {
    await using opened = await openWithSound(place);
    const { engine, notices } = opened;
    engine.timeline.edit([keepPitch("c0", 1.5)], {}, ME);
    // Exported at once: the job waits for the render.
    const mixdown = { path: "mix", container: "wav", sampleFormat: "f32" } as const;
    const { jobId } = engine.render.mixdown(mixdown, ME);
    const job = await finished(engine, jobId);
    assertEquals([job.state, job.error], ["done", undefined]);
    const { files } = job.result as { files: { path: string }[] };
    first = floatsOf(files[0].path);
    assertEquals(pipelines(notices, "c0"), ["queued", "rendering", "ready"]);
    made.push(...rendersIn(place));
    await using library = await openScans();
    const [left, right] = readAll(library, `${place.base}/cache/stretch/${made[0]}`);
    assertEquals(left.length, 64_000);
    const isSame = left.every((value, i) =>
      first[i * 2] === value && first[i * 2 + 1] === right[i]
    );
    assert(isSame, "the export is the render");
    assert(first.subarray(128_000).every((value) => value === 0), "silence where it has ended");
    // A ghost of what is there is done at once, of what is not it is made, of nothing it is an error.
    engine.timeline.edit(
      [{ op: "clip.split", clipId: "c0", atFrame: 30_000, newClipId: "d" }],
      {},
      ME,
    );
    await until(() => pipelines(notices, "d").at(-1) === "ready", "the new part has it too");
    const ghost = await finished(engine, engine.render.requestClipGhost("d", ME).jobId);
    assertEquals([ghost.kind, ghost.state, ghost.result], ["render.clipGhost", "done", {
      clipId: "d",
    }]);
    assertEquals(rendersIn(place), made, "no other was made");
    assertThrows(() => engine.render.requestClipGhost("none", ME), EngineError, "none");
    // With its content known, it is found by that.
    const hash = () => engine.assets.get(opened.asset.assetId).hash;
    await until(() => hash() !== null, "the content is known");
    const name = `${renderKey({ hash: hash()! }, 1.5).toHex()}.wav`;
    await until(() => rendersIn(place).includes(name), "it has a name of that");
  }
  const there = rendersIn(place);
  const times = there.map((name) => Deno.statSync(`${place.base}/cache/stretch/${name}`).mtime);
  await using opened = await place.open();
  const { engine, notices } = opened;
  for (const clipId of ["c0", "d"]) {
    await until(() => pipelines(notices, clipId).at(-1) === "ready", "it is ready again");
    assert(!pipelines(notices, clipId).includes("rendering"));
  }
  const mixdown = { path: "again", container: "wav", sampleFormat: "f32" } as const;
  const job = await finished(engine, engine.render.mixdown(mixdown, ME).jobId);
  const { files } = job.result as { files: { path: string }[] };
  const again = floatsOf(files[0].path);
  assert(again.every((value, i) => value === first[i]), "it sounds as it did");
  assertEquals(rendersIn(place), there);
  const now = there.map((name) => Deno.statSync(`${place.base}/cache/stretch/${name}`).mtime);
  assertEquals(now, times, "nothing was written");
});

Deno.test("a clip whose render fails is heard at its speed, and a mixdown of it says what to do", async () => {
  await using place = await EnginePlace.make();
  await Deno.mkdir(`${place.base}/cache`);
  await Deno.writeTextFile(`${place.base}/cache/stretch`, "no folder");
  await using opened = await openWithSound(place);
  const { engine, notices } = opened;
  engine.timeline.edit([keepPitch("c0", 2)], {}, ME);
  await until(() => pipelines(notices, "c0").at(-1) === "failed", "it has failed");
  const state = engine.topicState("timeline") as { pipelines: ClipPipeline[] };
  assertEquals([state.pipelines[0].state, state.pipelines[0].error?.code], [
    "failed",
    "cache.budget",
  ]);
  const mixdown = { path: "mix", container: "wav", sampleFormat: "s16" } as const;
  const job = await finished(engine, engine.render.mixdown(mixdown, ME).jobId);
  assertEquals([job.state, job.error?.code], ["failed", "cache.budget"]);
  assert(job.error!.message.includes("--cache-dir"), job.error!.message);
  // Not of the range: nothing to wait for.
  const rest = { ...mixdown, startFrame: 96_000, lengthFrames: 10 };
  assertEquals((await finished(engine, engine.render.mixdown(rest, ME).jobId)).state, "done");
  engine.transport.play({ fromFrame: 0 });
  await until(() => engine.transport.get().positionFrame > 4_800, "it plays");
  // The folder is mended: a ghost makes it.
  await Deno.remove(`${place.base}/cache/stretch`);
  const ghost = await finished(engine, engine.render.requestClipGhost("c0", ME).jobId);
  assertEquals([ghost.state, pipelines(notices, "c0").at(-1)], ["done", "ready"]);
});

Deno.test("a file that is replaced is rendered anew", async () => {
  await using place = await EnginePlace.make();
  await using opened = await openWithSound(place);
  const { engine, notices, asset, path } = opened;
  engine.timeline.edit([keepPitch("c0", 1.25)], {}, ME);
  await until(() => pipelines(notices, "c0").at(-1) === "ready", "it is ready");
  const other = makeWav({ planes: randomPlanes(6, 2, 50_000, "s16"), encoding: "s16" });
  await Deno.writeFile(`${path}.new`, other);
  await Deno.rename(`${path}.new`, path);
  await engine.assets.register(path, undefined, ME); // looks at it at once
  assertEquals(engine.assets.get(asset.assetId).generation, 2);
  const job = await finished(engine, engine.render.requestClipGhost("c0", ME).jobId);
  assertEquals(job.state, "done");
  const states = pipelines(notices, "c0");
  assertEquals(states.slice(states.indexOf("ready")), ["ready", "queued", "rendering", "ready"]);
  const lengths = rendersIn(place).map((name) =>
    floatsOf(`${place.base}/cache/stretch/${name}`).length / 2
  );
  assert(lengths.includes(40_000), `one of ${lengths} is of the new file`);
});

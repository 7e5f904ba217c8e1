import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { applyChanges } from "../engine/pulse/apply_changes.ts";
import { LIMITS } from "../engine/pulse/limits.ts";
import { timelineOf } from "../engine/pulse/timeline_model.ts";
import { type Commit, TimelineService } from "../engine/pulse/timeline_service.ts";
import type { Edit, Timeline } from "../engine/pulse/types.ts";
import { invertMap, mapFrame } from "../engine/signal/model.ts";
import { prng } from "./support/prng.ts";
import { randomEdit } from "./support/random_edits.ts";

const ann = { clientId: "ann" };
const bob = { clientId: "bob" };

/** A service with a track of ten clips, and all that it told. */
function service() {
  const commits: Commit[] = [];
  const timeline = TimelineService.inMemory(48_000, {
    onCommit: (commit) => commits.push(commit),
    playhead: () => 77,
  });
  timeline.edit([{ op: "track.add", track: { trackId: "t" } }], {}, ann);
  for (let i = 0; i < 10; i++) {
    const clip = { clipId: `c${i}`, assetId: "a", startFrame: i * 100, lengthFrames: 100 };
    timeline.edit([{ op: "clip.add", trackId: "t", clip }], {}, ann);
  }
  commits.length = 0;
  return { timeline, commits };
}
const move = (
  clipId: string,
  startFrame: number,
): Edit[] => [{ op: "clip.move", clipId, startFrame }];

Deno.test("an edit is told before it is answered, with the revision before and after", () => {
  const { timeline, commits } = service();
  const before = timeline.revision;
  const result = timeline.edit(move("c0", 5_000), { label: "Far away" }, ann);
  assertEquals(result.revision, before + 1);
  assertEquals(result.playheadFrame, 77);
  assertEquals(commits.length, 1);
  const [commit] = commits;
  assertEquals([commit.previousRevision, commit.revision], [before, before + 1]);
  assertEquals([commit.cause, commit.label, commit.clientId], ["edit", "Far away", "ann"]);
  assertEquals([commit.canUndo, commit.canRedo], [true, false]);
  assertEquals(commit.changes, result.changes);
  assert(commit.model === timeline.model);
});

Deno.test("an edit that changes nothing is answered with the revision as it is, and nobody hears of it", () => {
  const { timeline, commits } = service();
  const { revision } = timeline;
  assertEquals(timeline.edit(move("c0", 0), {}, ann).revision, revision);
  assertEquals(timeline.edit([], {}, ann).revision, revision);
  assertEquals(commits.length, 0);
});

Deno.test("undo returns exactly what stood before, redo what stood after, and the revision grows all the way", () => {
  const { timeline, commits } = service();
  const random = prng(5);
  const range = { frames: 2_000, tracks: 3, clips: 40 };
  const states: Timeline[] = [structuredClone(timeline.get().timeline)];
  while (states.length < 150) {
    const before = timeline.revision;
    try {
      timeline.edit(
        [randomEdit(random, timeline.get().timeline, range)],
        {},
        random.pick([ann, bob]),
      );
    } catch (error) {
      if (!(error instanceof EngineError || error instanceof InvalidParams)) throw error;
    }
    if (timeline.revision > before) states.push(structuredClone(timeline.get().timeline));
  }
  let mirror = states.at(-1)!;
  let { revision } = timeline;
  for (let i = states.length - 2; i >= 0; i--) {
    const result = timeline.undo({}, bob);
    mirror = applyChanges(mirror, result.changes);
    assertEquals(result.revision, ++revision);
    assertEquals(timeline.get().timeline, states[i]);
    assertEquals(mirror, states[i]);
  }
  for (let i = 1; i < states.length; i++) {
    const result = timeline.redo({}, bob);
    mirror = applyChanges(mirror, result.changes);
    assertEquals(result.revision, ++revision);
    assertEquals(timeline.get().timeline, states[i]);
    assertEquals(mirror, states[i]);
  }
  assertThrows(() => timeline.redo({}, ann), EngineError);
  assertEquals(commits.at(-1)!.cause, "redo");
});

Deno.test("the head's map of an undo is the inverse of the edit's", () => {
  const { timeline, commits } = service();
  timeline.edit(
    [
      { op: "range.delete", startFrame: 100, endFrame: 200, ripple: true },
      { op: "range.insert", atFrame: 50, lengthFrames: 30 },
    ],
    {},
    ann,
  );
  timeline.undo({}, ann);
  timeline.redo({}, ann);
  const [edit, undo, redo] = commits;
  assertEquals(edit.map.length, 2);
  assertEquals(undo.map, invertMap(edit.map));
  assertEquals(redo.map, edit.map);
  for (const frame of [0, 49, 50, 99, 200, 500]) {
    assertEquals(mapFrame(undo.map, mapFrame(edit.map, frame)), frame);
  }
});

Deno.test("undo is the project's: it takes back the last step, whoever did it", () => {
  const { timeline, commits } = service();
  timeline.edit(move("c0", 5_000), { label: "Ann's" }, ann);
  timeline.edit(move("c1", 6_000), { label: "Bob's" }, bob);
  timeline.undo({}, ann);
  assertEquals([commits[2].cause, commits[2].label, commits[2].clientId], ["undo", "Bob's", "ann"]);
  assertEquals([commits[2].canUndo, commits[2].canRedo], [true, true]);
  const { entries, total } = timeline.history({ offset: 11 });
  assertEquals(total, 13);
  assertEquals(entries.map(({ label, clientId, applied }) => [label, clientId, applied]), [
    ["Ann's", "ann", true],
    ["Bob's", "bob", false],
  ]);
});

Deno.test("an edit after an undo forgets what was undone", () => {
  const { timeline } = service();
  timeline.edit(move("c0", 5_000), {}, ann);
  timeline.undo({}, ann);
  timeline.edit(move("c1", 5_000), {}, ann);
  assert(!timeline.canRedo);
  assertEquals(
    assertThrows(() => timeline.redo({}, ann), EngineError).code,
    "timeline.nothingToUndo",
  );
});

Deno.test("nothing to undo says so", () => {
  const timeline = TimelineService.inMemory(48_000);
  assertEquals(
    assertThrows(() => timeline.undo({}, ann), EngineError).code,
    "timeline.nothingToUndo",
  );
});

Deno.test("of two clients that edit one revision the second is refused and nothing of it is done", () => {
  const { timeline, commits } = service();
  const baseRevision = timeline.revision;
  timeline.edit([{ op: "clip.remove", clipId: "c3" }], { baseRevision }, ann);
  const before = structuredClone(timeline.get());
  for (
    const attempt of [
      () => timeline.edit(move("c3", 0), { baseRevision }, bob),
      () => timeline.set(before.timeline, { baseRevision }, bob),
      () => timeline.undo({ baseRevision }, bob),
      () => timeline.redo({ baseRevision }, bob),
    ]
  ) {
    const error = assertThrows(attempt, EngineError);
    assertEquals(error.code, "timeline.conflict");
    assertEquals(error.details, { baseRevision, revision: baseRevision + 1 });
  }
  // Without a base the edit is judged by what it finds.
  assertEquals(
    assertThrows(() => timeline.edit(move("c3", 0), {}, bob), EngineError).code,
    "timeline.notFound",
  );
  assertEquals(timeline.get(), before);
  assertEquals(commits.length, 1);
});

Deno.test("two clients that edit at random, each on what it last heard, end with equal mirrors", () => {
  const { timeline } = service();
  const random = prng(9);
  const range = { frames: 2_000, tracks: 3, clips: 60 };
  const clients = [ann, bob].map((caller) => ({ caller, ...timeline.get() }));
  let conflicts = 0;
  for (let i = 0; i < 400; i++) {
    const client = random.pick(clients);
    if (random.chance(0.5)) {
      const news = timeline.changesSince(client.revision);
      assert("changes" in news);
      client.timeline = applyChanges(client.timeline, news.changes);
      client.revision = news.revision;
      assertEquals(client.timeline, timeline.get().timeline);
    }
    try {
      const { revision, changes } = timeline.edit(
        [randomEdit(random, client.timeline, range)],
        { baseRevision: client.revision },
        client.caller,
      );
      client.timeline = applyChanges(client.timeline, changes);
      client.revision = revision;
      assertEquals(client.timeline, timeline.get().timeline);
    } catch (error) {
      if (error instanceof EngineError && error.code === "timeline.conflict") conflicts++;
      else if (!(error instanceof EngineError || error instanceof InvalidParams)) throw error;
    }
  }
  assert(conflicts > 20, `${conflicts} conflicts`);
});

Deno.test("successive edits of one client with one mergeKey are one undo step", () => {
  const { timeline } = service();
  const before = structuredClone(timeline.get().timeline);
  const steps = timeline.history().total;
  for (let i = 1; i <= 50; i++) {
    timeline.edit(move("c0", i * 10), { mergeKey: "drag", label: "Drag" }, ann);
  }
  const after = structuredClone(timeline.get().timeline);
  assertEquals(timeline.history().total, steps + 1);
  timeline.undo({}, ann);
  assertEquals(timeline.get().timeline, before);
  timeline.redo({}, ann);
  assertEquals(timeline.get().timeline, after);
});

Deno.test("a mergeKey merges nothing over another client, another key, another edit or an undo", () => {
  const { timeline } = service();
  const steps = timeline.history().total;
  timeline.edit(move("c0", 10), { mergeKey: "k" }, ann);
  timeline.edit(move("c0", 20), { mergeKey: "k" }, bob);
  timeline.edit(move("c0", 30), { mergeKey: "k" }, ann);
  timeline.edit(move("c0", 40), { mergeKey: "other" }, ann);
  timeline.edit(move("c0", 50), {}, ann);
  timeline.edit(move("c0", 60), { mergeKey: "k" }, ann);
  assertEquals(timeline.history().total, steps + 6);
  timeline.undo({}, ann);
  timeline.redo({}, ann);
  timeline.edit(move("c0", 70), { mergeKey: "k" }, ann);
  assertEquals(timeline.history().total, steps + 7);
});

Deno.test("the map of a merged step is that of all its edits", () => {
  const { timeline, commits } = service();
  for (let i = 0; i < 3; i++) {
    timeline.edit([{ op: "range.insert", atFrame: 100, lengthFrames: 10 }], { mergeKey: "k" }, ann);
  }
  timeline.undo({}, ann);
  assertEquals(mapFrame(commits.at(-1)!.map, 130), 100);
  assertEquals(mapFrame(commits.at(-1)!.map, 230), 200);
});

Deno.test("a repeated requestId gets its first answer and is done once", () => {
  const { timeline, commits } = service();
  const edits: Edit[] = [{ op: "clip.split", clipId: "c0", atFrame: 50 }];
  const first = timeline.edit(edits, { requestId: "r1" }, ann);
  timeline.edit(move("c5", 9_000), {}, bob);
  assertEquals(timeline.edit(edits, { requestId: "r1" }, ann), first);
  assertEquals(timeline.edit(edits, { requestId: "r1", baseRevision: 1 }, ann), first);
  assertEquals(commits.length, 2);
});

Deno.test("two clients may count their requests alike; one that comes back with a unique id is known again", () => {
  const { timeline, commits } = service();
  timeline.edit([{ op: "range.insert", atFrame: 0, lengthFrames: 5 }], { requestId: "1" }, ann);
  timeline.edit([{ op: "range.insert", atFrame: 0, lengthFrames: 5 }], { requestId: "1" }, bob);
  assertEquals(commits.length, 2);
  const requestId = crypto.randomUUID();
  const edits: Edit[] = [{ op: "range.insert", atFrame: 0, lengthFrames: 7 }];
  const first = timeline.edit(edits, { requestId }, ann);
  assertEquals(timeline.edit(edits, { requestId }, { clientId: "ann, connected anew" }), first);
  assertEquals(commits.length, 3);
});

Deno.test("a refused request is not remembered: the same id may be tried again", () => {
  const { timeline } = service();
  assertThrows(() => timeline.edit(move("zz", 0), { requestId: "r" }, ann), EngineError);
  assertEquals(
    timeline.edit(move("c0", 9_999), { requestId: "r" }, ann).revision,
    timeline.revision,
  );
});

Deno.test("answers are remembered up to a limit", () => {
  const { timeline, commits } = service();
  for (let i = 0; i <= LIMITS.rememberedRequests; i++) {
    timeline.edit(move("c0", i + 1), { requestId: `r${i}` }, ann);
  }
  const count = commits.length;
  timeline.edit(move("c0", 2), { requestId: "r1" }, ann);
  assertEquals(commits.length, count);
  timeline.edit(move("c0", 1), { requestId: "r0" }, ann);
  assertEquals(commits.length, count + 1);
});

Deno.test("timeline.set() is one step, told as what differs", () => {
  const { timeline, commits } = service();
  const before = structuredClone(timeline.get().timeline);
  const next = structuredClone(before);
  next.tracks[0].clips[4].gainDb = -6;
  const result = timeline.set(next, {}, ann);
  assertEquals(result.changes.clips.map(({ clipId }) => clipId), ["c4"]);
  assertEquals(commits[0].cause, "set");
  assertEquals(timeline.get().timeline, next);
  timeline.undo({}, ann);
  assertEquals(timeline.get().timeline, before);
});

Deno.test("timeline.set() takes what timeline.get() gave, and optional members may be left out", () => {
  const { timeline } = service();
  assertEquals(timeline.set(timeline.get().timeline, {}, ann).changes.clips, []);
  const short = {
    sampleRate: 48_000,
    tracks: [{ trackId: "x", clips: [{ assetId: "a", startFrame: 3, lengthFrames: 2 }] }],
  };
  timeline.set(short as never, {}, ann);
  const [track] = timeline.get().timeline.tracks;
  assertEquals([track.name, track.gainDb, track.clips[0].rate, track.clips[0].startFrame], [
    "",
    0,
    1,
    3,
  ]);
  assert(track.clips[0].clipId.length > 0);
});

Deno.test("changesSince() merges all changes since a revision, and gives the whole timeline where it cannot", () => {
  const { timeline } = service();
  const { revision, timeline: mirror } = structuredClone(timeline.get());
  timeline.edit([{ op: "range.delete", startFrame: 50, endFrame: 250, ripple: true }], {}, ann);
  timeline.edit(move("c9", 10_000), {}, bob);
  timeline.undo({}, ann);
  const news = timeline.changesSince(revision);
  assert("changes" in news);
  assertEquals(applyChanges(mirror, news.changes), timeline.get().timeline);
  assertEquals(timeline.changesSince(), timeline.get());
  assertEquals(timeline.changesSince(timeline.revision + 1), timeline.get());
});

Deno.test("clips may play only assets that are known", () => {
  const timeline = TimelineService.inMemory(48_000, { hasAsset: (assetId) => assetId === "a" });
  const clip = (assetId: string) => ({
    clipId: `of ${assetId}`,
    assetId,
    startFrame: 0,
    lengthFrames: 1,
  });
  timeline.edit(
    [{ op: "track.add", track: { trackId: "t" } }, {
      op: "clip.add",
      trackId: "t",
      clip: clip("a"),
    }],
    {},
    ann,
  );
  const attempts: [Edit, (string | number)[]][] = [
    [{ op: "clip.add", trackId: "t", clip: clip("b") }, ["edits", 0, "clip", "assetId"]],
    [{ op: "clip.set", clipId: "of a", set: { assetId: "b" } }, ["edits", 0, "set", "assetId"]],
    [{ op: "track.add", track: { trackId: "u", clips: [clip("b")] as never } }, [
      "edits",
      0,
      "track",
      "clips",
      0,
      "assetId",
    ]],
  ];
  for (const [edit, path] of attempts) {
    const error = assertThrows(() => timeline.edit([edit], {}, ann), EngineError);
    assertEquals([error.code, error.details], ["asset.notFound", { assetId: "b", path }]);
  }
  assert(timeline.usesAsset("a"));
  assert(!timeline.usesAsset("b"));
  timeline.edit([{ op: "clip.remove", clipId: "of a" }], {}, ann);
  assert(!timeline.usesAsset("a"));
});

Deno.test("a project without clips may take another rate, once, and not back by undo", () => {
  const { timeline } = service();
  assertThrows(() => timeline.adoptSampleRate(44_100), Error, "10 clips");
  timeline.edit([{ op: "track.remove", trackId: "t" }], {}, ann);
  const { revision } = timeline;
  timeline.adoptSampleRate(44_100);
  assertEquals(timeline.get(), {
    revision: revision + 1,
    timeline: { sampleRate: 44_100, tracks: [] },
  });
  assert(!timeline.canUndo);
});

Deno.test("a journal that cannot keep an entry refuses the edit, and nothing changes", () => {
  const { timeline, commits } = service();
  const before = structuredClone(timeline.get());
  timeline.useJournal({
    append: () => {
      throw new Error("disk full");
    },
    entry: () => null,
    head: () => null,
    stepChanges: () => null,
  });
  assertThrows(() => timeline.edit(move("c0", 500), {}, ann), Error, "disk full");
  assertThrows(() => timeline.undo({}, ann), Error, "disk full");
  assertEquals(timeline.get(), before);
  assertEquals(timelineOf(timeline.model), before.timeline);
  assertEquals(commits.length, 0);
});

Deno.test("the oldest steps are forgotten beyond the limit, and all others can be undone though few are in memory", () => {
  const { timeline } = service();
  const starts: number[] = [];
  for (let i = 0; i < LIMITS.undoSteps + 20; i++) {
    starts.push(
      timeline.get().timeline.tracks[0].clips.find(({ clipId }) => clipId === "c0")!.startFrame,
    );
    timeline.edit(move("c0", 5_000 + i), {}, ann);
  }
  assertEquals(timeline.history().total, LIMITS.undoSteps);
  for (let i = 0; i < LIMITS.undoSteps; i++) {
    timeline.undo({}, ann);
    const now = timeline.get().timeline.tracks[0].clips.find(({ clipId }) =>
      clipId === "c0"
    )!.startFrame;
    assertEquals(now, starts.pop());
  }
  assert(!timeline.canUndo);
});

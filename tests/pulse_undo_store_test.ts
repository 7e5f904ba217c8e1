/** The undo history in a project's file: over restarts, long, merged, copied and damaged. */
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { LIMITS } from "../engine/pulse/limits.ts";
import { ProjectStore, type ProjectStoreOptions } from "../engine/pulse/store/project_store.ts";
import type { LostSteps, TimelineService } from "../engine/pulse/timeline_service.ts";
import type { Edit, Timeline } from "../engine/pulse/types.ts";
import { NaiveHistory } from "./support/naive_history.ts";
import { prng } from "./support/prng.ts";
import { randomGesture } from "./support/random_edits.ts";

const ann = { clientId: "ann" };
const bob = { clientId: "bob" };

/** Runs `work` with a data folder of its own. */
async function inFolder(work: (dataDir: string) => Promise<void>) {
  const dataDir = await Deno.makeTempDir();
  try {
    await work(dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

/** Opens the project that was open last, lets `work` at it, and closes. */
async function life<T>(
  dataDir: string,
  work: (timeline: TimelineService, path: string) => T,
  timeline: ProjectStoreOptions["timeline"] = {},
): Promise<T> {
  await using store = ProjectStore.open({ dataDir, timeline });
  const { file, recovery, skipped } = await store.openLast();
  assertEquals([recovery, skipped], [null, null]);
  return await work(file.timeline, file.path);
}

const begin: Edit[] = ["t", "u"].map((trackId) => ({
  op: "track.add",
  track: {
    trackId,
    clips: [{ clipId: `${trackId}0`, assetId: "a", startFrame: 0, lengthFrames: 100 }],
  },
}));
const move = (clipId: string, startFrame: number): Edit[] => [{
  op: "clip.move",
  clipId,
  startFrame,
}];
const copy = (timeline: TimelineService) => structuredClone(timeline.get().timeline);
const startOf = (timeline: TimelineService, track = 0) =>
  timeline.get().timeline.tracks[track].clips[0].startFrame;

Deno.test("a drag that goes on after a restart is still one step; after an undo it begins anew", () =>
  inFolder(async (dataDir) => {
    const before = await life(dataDir, (timeline) => {
      timeline.edit(begin, {}, ann);
      const before = copy(timeline);
      for (let i = 1; i <= 100; i++) {
        timeline.edit(move("t0", i), { mergeKey: "drag", label: "Drag" }, ann);
      }
      return before;
    });
    await life(dataDir, (timeline) => {
      for (let i = 101; i <= 200; i++) timeline.edit(move("t0", i), { mergeKey: "drag" }, ann);
      assertEquals(
        timeline.history().entries.map(({ label, revision }) => [label, revision]),
        [["Add track", 1], ["Drag", 201]],
      );
      timeline.undo({}, bob);
      assertEquals(copy(timeline), before);
    });
    await life(dataDir, (timeline) => {
      timeline.redo({}, bob);
      assertEquals(startOf(timeline), 200);
    });
    await life(dataDir, (timeline) => {
      // An undo and a redo came since, or another client, or another key.
      timeline.edit(move("t0", 300), { mergeKey: "drag" }, ann);
      assertEquals(timeline.history().total, 3);
    });
    await life(dataDir, (timeline) => {
      timeline.edit(move("t0", 400), { mergeKey: "drag" }, bob);
      timeline.edit(move("t0", 500), { mergeKey: "another" }, bob);
      assertEquals(timeline.history().total, 5);
      while (timeline.canUndo) timeline.undo({}, ann);
      assertEquals(copy(timeline).tracks, []);
    });
  }));

Deno.test(`${LIMITS.undoSteps} steps can be undone and done again after a restart, with labels and clients, page by page`, () =>
  inFolder(async (dataDir) => {
    const count = LIMITS.undoSteps + 30;
    await life(dataDir, (timeline) => {
      timeline.edit(begin, {}, ann);
      for (let i = 1; i <= count; i++) {
        timeline.edit(move("t0", i), { label: `Move ${i}` }, i % 3 === 0 ? bob : ann);
      }
      for (let i = 0; i < 5; i++) timeline.undo({}, ann);
    });
    await life(dataDir, (timeline) => {
      const oldest = count - LIMITS.undoSteps + 1;
      const pages = [0, 1_000, 9_990].map((offset) => timeline.history({ offset, limit: 3 }));
      for (const [page, offset] of [[pages[0], 0], [pages[1], 1_000], [pages[2], 9_990]] as const) {
        assertEquals(page.total, LIMITS.undoSteps);
        assertEquals(
          page.entries,
          [0, 1, 2].map((i) => ({
            revision: oldest + offset + i + 1,
            label: `Move ${oldest + offset + i}`,
            clientId: (oldest + offset + i) % 3 === 0 ? "bob" : "ann",
            applied: true,
          })),
        );
      }
      assertEquals(timeline.history().entries.length, 1_000);
      const last = timeline.history({ offset: LIMITS.undoSteps - 6 }).entries;
      assertEquals(last.map(({ applied }) => applied), [true, false, false, false, false, false]);
      let at = count - 5;
      let { revision } = timeline;
      while (timeline.canUndo) {
        assertEquals(timeline.undo({}, ann).revision, ++revision);
        assertEquals(startOf(timeline), --at);
      }
      assertEquals(at, oldest - 1);
    });
    await life(dataDir, (timeline) => {
      let at = startOf(timeline);
      while (timeline.canRedo) {
        timeline.redo({}, bob);
        assertEquals(startOf(timeline), ++at);
      }
      assertEquals([at, timeline.history().total], [count, LIMITS.undoSteps]);
    });
  }));

Deno.test("drags of two clients, restarts and undos: every step leads where it led", () =>
  inFolder(async (dataDir) => {
    const random = prng(12);
    const range = { frames: 1_500, tracks: 3, clips: 50 };
    const history = new NaiveHistory();
    let now: Timeline = { sampleRate: 48_000, tracks: [] };
    const keys = { ann: "k", bob: "k" };
    for (let lives = 0; lives < 8; lives++) {
      await life(dataDir, (timeline) => {
        assertEquals(copy(timeline), now);
        let isEdit = false;
        for (let i = 0; i < 80; i++) {
          const clientId = random.pick(["ann", "bob"] as const);
          const { revision } = timeline;
          const dice = random.int(100);
          if (random.chance(0.05)) keys[clientId] = `k${i}`;
          if (dice < 6 && timeline.canUndo) {
            timeline.undo({}, { clientId });
            now = history.undo();
          } else if (dice < 10 && timeline.canRedo) {
            timeline.redo({}, { clientId });
            now = history.redo();
          } else {
            const edits = randomGesture(random, now, range);
            const options = random.chance(0.7) ? { mergeKey: keys[clientId] } : {};
            try {
              timeline.edit(edits, options, { clientId });
            } catch (error) {
              if (!(error instanceof EngineError || error instanceof InvalidParams)) throw error;
            }
            if (timeline.revision === revision) continue;
            const after = copy(timeline);
            history.edit(clientId, edits, options, now, after);
            now = after;
          }
          isEdit = dice >= 10 || timeline.revision === revision;
          assertEquals(copy(timeline), now);
          assertEquals(timeline.history().total, history.steps.length);
        }
        const { entries } = timeline.history();
        isEdit = entries.some(({ revision, applied }) => applied && revision === timeline.revision);
        history.restart(isEdit);
      });
    }
    await life(dataDir, (timeline) => {
      while (timeline.canUndo) {
        timeline.undo({}, ann);
        assertEquals(copy(timeline), history.undo());
      }
      assertEquals([history.applied, copy(timeline).tracks], [0, []]);
      while (timeline.canRedo) {
        timeline.redo({}, ann);
        assertEquals(copy(timeline), history.redo());
      }
    });
  }));

Deno.test("a copy of a project has the steps that were moved under a drag while it was made", () =>
  inFolder(async (dataDir) => {
    await using store = ProjectStore.open({ dataDir });
    const { timeline } = (await store.create({ name: "First" })).file;
    timeline.edit(begin, {}, ann);
    const before = copy(timeline);
    timeline.edit(move("t0", 10), { mergeKey: "drag" }, ann);
    timeline.edit(move("u0", 20), {}, bob);
    const saving = store.saveAs({ name: "Second" });
    await new Promise((resolve) => setTimeout(resolve, 1));
    timeline.edit(move("t0", 30), { mergeKey: "drag" }, ann);
    const { path } = (await saving).file;
    await store.create({ name: "Third" });
    const again = (await store.open({ path })).file.timeline;
    again.undo({}, ann);
    assertEquals([startOf(again), startOf(again, 1)], [0, 20]);
    again.undo({}, ann);
    assertEquals(copy(again), before);
  }));

for (
  const [name, sql] of [
    [
      "is damaged",
      "UPDATE journal SET backward = replace(backward, '30', '31') WHERE revision = 5",
    ],
    ["does not say what it is called", "UPDATE journal SET info = '{' WHERE revision = 5"],
  ]
) {
  Deno.test(`an old journal entry that ${name} ends the undo history there: that is told, and all else is kept`, () =>
    inFolder(async (dataDir) => {
      const path = await life(dataDir, (timeline, path) => {
        timeline.edit(begin, {}, ann);
        for (let i = 1; i <= 8; i++) timeline.edit(move("t0", i * 10), { label: `${i}` }, ann);
        return path;
      });
      const database = new DatabaseSync(path);
      database.exec(sql);
      database.close();
      const lost: LostSteps[] = [];
      const onLost = (steps: LostSteps) => lost.push(steps);
      await life(dataDir, (timeline) => {
        assertEquals([timeline.history().total, startOf(timeline)], [9, 80]);
        for (let i = 0; i < 4; i++) timeline.undo({}, ann);
        const before = timeline.get();
        const error = assertThrows(() => timeline.undo({}, ann), EngineError, "revision 5");
        assertEquals([error.code, error.details], [
          "timeline.nothingToUndo",
          { revision: 5, steps: 5 },
        ]);
        assertEquals(lost, [{ revision: 5, cause: "undo", steps: 5 }]);
        assertEquals(timeline.get(), before);
        assert(!timeline.canUndo && timeline.canRedo);
        assertEquals(timeline.history().entries.map(({ label }) => label), ["5", "6", "7", "8"]);
        while (timeline.canRedo) timeline.redo({}, ann);
        assertEquals(startOf(timeline), 80);
        timeline.edit(move("t0", 90), {}, ann);
      }, { onLost });
      await life(dataDir, (timeline) => {
        assertEquals(timeline.history().total, 5);
        while (timeline.canUndo) timeline.undo({}, ann);
        assertEquals(startOf(timeline), 40);
      }, { onLost });
      assertEquals(lost.length, 1);
    }));
}

Deno.test("an old journal entry that is gone ends the history towards the past when the project is opened", () =>
  inFolder(async (dataDir) => {
    const path = await life(dataDir, (timeline, path) => {
      timeline.edit(begin, {}, ann);
      for (let i = 1; i <= 8; i++) timeline.edit(move("t0", i * 10), { label: `${i}` }, ann);
      timeline.undo({}, ann);
      return path;
    });
    const database = new DatabaseSync(path);
    database.exec("DELETE FROM journal WHERE revision IN (3, 5)");
    database.close();
    await life(dataDir, (timeline) => {
      assertEquals(
        timeline.history().entries.map(({ label, applied }) => [label, applied]),
        [["5", true], ["6", true], ["7", true], ["8", false]],
      );
    });
  }));

Deno.test("a long drag that ripples stays small in the journal", () =>
  inFolder(async (dataDir) => {
    const path = await life(dataDir, (timeline, path) => {
      timeline.edit(begin, {}, ann);
      for (let i = 0; i < 500; i++) {
        timeline.edit(
          [
            { op: "range.insert", atFrame: 50, lengthFrames: 10 },
            { op: "range.delete", startFrame: 50, endFrame: 59, ripple: true },
          ],
          { mergeKey: "ripple" },
          ann,
        );
      }
      return path;
    });
    const database = new DatabaseSync(path, { readOnly: true });
    const { longest } = database.prepare(
      "SELECT max(length(info) + length(backward) + length(redo)) AS longest FROM journal WHERE revision > 2",
    ).get()!;
    database.close();
    assert(Number(longest) < 4_096, `${longest} characters`);
  }));

Deno.test("a long drag of many clips that lie apart leaves little in the file, and its undo is whole", () =>
  inFolder(async (dataDir) => {
    const clips = Array.from({ length: 800 }, (_, i) => ({
      clipId: `c${i}`,
      assetId: "a",
      startFrame: i * 100,
      lengthFrames: 50,
    }));
    await using store = ProjectStore.open({ dataDir });
    const { file } = await store.openLast();
    const { timeline } = file;
    timeline.edit([{ op: "track.add", track: { trackId: "t", clips } }], {}, ann);
    const before = copy(timeline);
    for (let i = 1; i <= 200; i++) {
      const edits = clips.filter((_, n) => n % 4 === 0)
        .flatMap(({ clipId, startFrame }) => move(clipId, startFrame + i % 40));
      timeline.edit(edits, { mergeKey: "drag" }, ann);
    }
    await file.save();
    const database = new DatabaseSync(file.path, { readOnly: true });
    const { bytes, rows } = database.prepare(`
      SELECT sum(octet_length(forward) + octet_length(backward) + octet_length(redo)) AS bytes, count(*) AS rows
      FROM journal WHERE revision > 1
    `).get()!;
    database.close();
    // A revision of it is 100 kB and more: without a bound it were 25 MB.
    assert(Number(bytes) < 17_000_000, `${bytes} bytes`);
    assert(Number(rows) >= 64 && Number(rows) < 200, `${rows} rows`);
    const { path } = file;
    const after = copy(timeline);
    await store.create({ name: "Other" });
    const again = (await store.open({ path })).file.timeline;
    assertEquals(again.history().total, 2);
    again.undo({}, bob);
    assertEquals(copy(again), before);
    again.redo({}, bob);
    assertEquals(copy(again), after);
  }));

Deno.test("an undo after a restart takes clips that were moved together back past others, in their order", () =>
  inFolder(async (dataDir) => {
    const clip = (clipId: string, startFrame: number) => ({
      clipId,
      assetId: "a",
      startFrame,
      lengthFrames: 10,
    });
    const states = await life(dataDir, (timeline) => {
      const clips = [clip("a", 10), clip("c", 47), clip("b", 120)];
      timeline.edit([{ op: "track.add", track: { trackId: "t", clips } }], {}, ann);
      const states = [copy(timeline)];
      // Past the one between them, onto its begin, and back.
      for (const by of [46, -9, -37]) {
        const edits = timeline.get().timeline.tracks[0].clips
          .filter(({ clipId }) => clipId !== "c")
          .flatMap(({ clipId, startFrame }) => move(clipId, startFrame + by));
        timeline.edit(edits, {}, ann);
        states.push(copy(timeline));
      }
      return states;
    });
    await life(dataDir, (timeline) => {
      for (const state of states.slice(0, -1).reverse()) {
        timeline.undo({}, ann);
        assertEquals(copy(timeline), state);
      }
      for (const state of states.slice(1)) {
        timeline.redo({}, ann);
        assertEquals(copy(timeline), state);
      }
    });
  }));
